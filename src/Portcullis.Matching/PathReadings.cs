namespace Portcullis.Matching;

/// <summary>
/// What a backend may make of a normalised path: itself; its slashes merged; its <c>%2F</c> and <c>%5C</c> decoded, with slashes merged after dot segments are
/// resolved, or before. DENY rules are held against all of them. For the usual path there is one, and nothing is allocated.
/// </summary>
public readonly struct PathReadings
{
    private static readonly (PathNormalization Mode, bool MergesFirst)[] Modes =
    [
        (PathNormalization.MergeSlashes, false),
        (PathNormalization.DecodeAndMergeSlashes, false),
        (PathNormalization.DecodeAndMergeSlashes, true),
    ];

    private readonly string _first;
    private readonly string? _second;
    private readonly string? _third;
    private readonly string? _fourth;

    private PathReadings(string path)
    {
        _first = path;
        Count = 1;
        if (PathNormalizer.IsNormal(path, PathNormalization.DecodeAndMergeSlashes))
        {
            return;
        }

        foreach (var (mode, mergesFirst) in Modes)
        {
            var reading = PathNormalizer.Read(path, mode, mergesFirst);
            if (reading == _first || reading == _second || reading == _third)
            {
                continue;
            }

            switch (Count++)
            {
                case 1:
                    _second = reading;
                    break;
                case 2:
                    _third = reading;
                    break;
                default:
                    _fourth = reading;
                    break;
            }
        }
    }

    /// <summary>Number of different readings, 1 to 4.</summary>
    public int Count { get; }

    /// <summary>A reading; the first is the path itself.</summary>
    public string this[int index] => index switch
    {
        0 => _first,
        1 when _second is not null => _second,
        2 when _third is not null => _third,
        3 when _fourth is not null => _fourth,
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    /// <summary>The readings of a path.</summary>
    /// <param name="path">Normalised, without query.</param>
    public static PathReadings Of(string path) => new(path);
}
