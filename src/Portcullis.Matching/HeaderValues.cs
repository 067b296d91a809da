namespace Portcullis.Matching;

/// <summary>The lines of one header, without an allocation for the usual one line.</summary>
public readonly struct HeaderValues
{
    private readonly object? _value;

    /// <summary>One line; <see langword="null"/> for none.</summary>
    public HeaderValues(string? value) => _value = value;

    /// <summary>Several lines; empty for none.</summary>
    public HeaderValues(string[] values) => _value = values.Length == 0 ? null : values;

    /// <summary>Number of lines.</summary>
    public int Count => _value switch { null => 0, string => 1, _ => ((string[])_value).Length };

    /// <summary>The line at an index below <see cref="Count"/>.</summary>
    public string this[int index] => _value is string[] many ? many[index] : index == 0 && _value is string one ? one : throw new ArgumentOutOfRangeException(nameof(index));
}
