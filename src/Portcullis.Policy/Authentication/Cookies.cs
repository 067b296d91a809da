using System.Text;

namespace Portcullis.Policy.Authentication;

/// <summary>The cookies of one <c>cookie</c> line (authentication.md §6.3).</summary>
internal ref struct Cookies(ReadOnlySpan<char> line)
{
    private readonly ReadOnlySpan<char> _line = line;
    private int _next;

    /// <summary>Start of the current piece in the line, blanks included.</summary>
    public int Start { get; private set; }

    /// <summary>End of the current piece, exclusive.</summary>
    public int End { get; private set; }

    /// <summary>Start of the value, past an opening quote.</summary>
    public int ValueStart { get; private set; }

    /// <summary>End of the value, exclusive, before a closing quote.</summary>
    public int ValueEnd { get; private set; }

    /// <summary>Leading blanks removed.</summary>
    public ReadOnlySpan<char> Name { get; private set; }

    /// <summary>Goes to the next piece that has a <c>=</c>.</summary>
    public bool MoveNext()
    {
        while (_next <= _line.Length)
        {
            Start = _next;
            var length = _line[Start..].IndexOf(';');
            End = length < 0 ? _line.Length : Start + length;
            _next = End + 1;
            var piece = _line[Start..End];
            var equals = piece.IndexOf('=');
            if (equals < 0)
            {
                continue;
            }

            Name = piece[..equals].TrimStart(' ');
            (ValueStart, ValueEnd) = (Start + equals + 1, End);
            if (ValueEnd - ValueStart >= 2 && _line[ValueStart] == '"' && _line[ValueEnd - 1] == '"')
            {
                (ValueStart, ValueEnd) = (ValueStart + 1, ValueEnd - 1);
            }

            return true;
        }

        return false;
    }

    /// <summary>Cuts every cookie of a name out of a line.</summary>
    /// <returns>The same instance when there was nothing to cut; <see langword="null"/> when nothing is left.</returns>
    public static string? Remove(string line, string name)
    {
        StringBuilder? rest = null;
        var copied = 0;
        var cookies = new Cookies(line);
        while (cookies.MoveNext())
        {
            if (cookies.Name.SequenceEqual(name))
            {
                rest ??= new StringBuilder(line.Length);
                rest.Append(line, copied, cookies.Start - copied);
                copied = Math.Min(cookies.End + 1, line.Length);
            }
        }

        if (rest is null)
        {
            return line;
        }

        rest.Append(line, copied, line.Length - copied);
        var text = rest.ToString().Trim(' ', ';');
        return text.Length == 0 ? null : text;
    }
}
