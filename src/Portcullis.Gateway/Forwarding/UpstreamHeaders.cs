using Microsoft.Extensions.Primitives;

namespace Portcullis.Gateway.Forwarding;

/// <summary>One header line.</summary>
/// <param name="Name">As it goes on the wire.</param>
/// <param name="Value">Decoded text.</param>
internal readonly record struct HeaderLine(string Name, string Value);

/// <summary>The header lines of a request on its way to a backend, in order. Reused with its request context, so that filling it allocates nothing.</summary>
internal sealed class UpstreamHeaders
{
    private HeaderLine[] _lines = new HeaderLine[24];
    private int _count;

    /// <summary>The lines in the order in which they were added.</summary>
    public ReadOnlySpan<HeaderLine> Lines => _lines.AsSpan(0, _count);

    /// <summary>Adds a line behind those that are there, of this name or not.</summary>
    public void Add(string name, string value)
    {
        if (_count == _lines.Length)
        {
            Array.Resize(ref _lines, _count * 2);
        }

        _lines[_count++] = new HeaderLine(name, value);
    }

    /// <summary>Adds a line for each value.</summary>
    public void Add(string name, in StringValues values)
    {
        if (values.Count == 1)
        {
            Add(name, values[0] ?? "");
            return;
        }

        foreach (var value in values)
        {
            Add(name, value ?? "");
        }
    }

    /// <summary>Puts a line in the place of all of its name.</summary>
    public void Set(string name, string value)
    {
        Remove(name);
        Add(name, value);
    }

    /// <summary>Removes every line of the name, whatever its case.</summary>
    public void Remove(string name)
    {
        var kept = 0;
        for (var i = 0; i < _count; i++)
        {
            if (!_lines[i].Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                _lines[kept++] = _lines[i];
            }
        }

        Array.Clear(_lines, kept, _count - kept);
        _count = kept;
    }

    /// <summary>Forgets every line, so that no secret outlives its request.</summary>
    public void Clear()
    {
        Array.Clear(_lines, 0, _count);
        _count = 0;
    }
}
