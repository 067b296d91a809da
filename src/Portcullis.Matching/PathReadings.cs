namespace Portcullis.Matching;

/// <summary>
/// What a backend may make of a normalised path: itself, its slashes merged, and its <c>%2F</c> and <c>%5C</c> decoded. DENY rules are held against all of
/// them. For the usual path there is one, and nothing is allocated.
/// </summary>
public readonly struct PathReadings
{
    private readonly string _path;
    private readonly string? _merged;
    private readonly string? _decoded;

    private PathReadings(string path, string? merged, string? decoded)
    {
        _path = path;
        _merged = merged;
        _decoded = decoded;
    }

    /// <summary>Number of different readings, 1 to 3.</summary>
    public int Count => 1 + (_merged is null ? 0 : 1) + (_decoded is null ? 0 : 1);

    /// <summary>A reading; the first is the path itself.</summary>
    public string this[int index] => index switch
    {
        0 => _path,
        1 when _merged is not null => _merged,
        1 or 2 when _decoded is not null && index < Count => _decoded,
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    /// <summary>The readings of a path.</summary>
    /// <param name="path">Normalised, without query.</param>
    public static PathReadings Of(string path)
    {
        var merged = Read(path, PathNormalization.MergeSlashes);
        var decoded = Read(path, PathNormalization.DecodeAndMergeSlashes);
        return new PathReadings(
            path,
            string.Equals(merged, path, StringComparison.Ordinal) ? null : merged,
            string.Equals(decoded, path, StringComparison.Ordinal) || string.Equals(decoded, merged, StringComparison.Ordinal) ? null : decoded);
    }

    private static string Read(string path, PathNormalization mode) =>
        PathNormalizer.TryNormalizePath(path, mode, out var reading) ? reading : path; // a NUL passes normalisation only where that is off
}
