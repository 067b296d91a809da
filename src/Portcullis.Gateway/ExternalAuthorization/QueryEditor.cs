using System.Text;

namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>Sets and removes query parameters as an authorizer asks; what it does not name stays as the client wrote it.</summary>
internal static class QueryEditor
{
    /// <summary>Makes the changes.</summary>
    /// <param name="query">Text behind the <c>?</c>; <see langword="null"/> when there is none.</param>
    /// <param name="set">The first parameter of the name gets the value, further ones are removed; at the end when there is none.</param>
    /// <param name="removed">Names; any spelling of them is removed.</param>
    public static string? Apply(string? query, List<KeyValuePair<string, string>> set, List<string> removed)
    {
        List<string> pieces = string.IsNullOrEmpty(query) ? [] : [.. query.Split('&')];
        foreach (var (name, value) in set)
        {
            var piece = $"{Encode(name, isName: true)}={Encode(value, isName: false)}";
            var first = pieces.FindIndex(p => IsNamed(p, name));
            if (first < 0)
            {
                pieces.Add(piece);
                continue;
            }

            pieces[first] = piece;
            for (var i = pieces.Count - 1; i > first; i--)
            {
                if (IsNamed(pieces[i], name))
                {
                    pieces.RemoveAt(i);
                }
            }
        }

        foreach (var name in removed)
        {
            pieces.RemoveAll(p => IsNamed(p, name));
        }

        return pieces.Count == 0 ? null : string.Join('&', pieces);
    }

    /// <summary>An encoded spelling is the same name to a backend.</summary>
    private static bool IsNamed(string piece, string name)
    {
        var equals = piece.IndexOf('=', StringComparison.Ordinal);
        var written = equals < 0 ? piece : piece[..equals];
        return written == name || (written.AsSpan().ContainsAny('%', '+') && Uri.UnescapeDataString(written.Replace('+', ' ')) == name);
    }

    /// <summary>What an authorizer writes may be encoded already; only what would end the parameter or the request line is.</summary>
    private static string Encode(string text, bool isName)
    {
        var encoded = new StringBuilder(text.Length);
        foreach (var unit in Encoding.UTF8.GetBytes(text))
        {
            if (unit is <= 0x20 or >= 0x7f or (byte)'#' or (byte)'&' or (byte)'"' or (byte)'<' or (byte)'>' || (isName && unit == (byte)'='))
            {
                encoded.Append('%').Append(unit.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            }
            else
            {
                encoded.Append((char)unit);
            }
        }

        return encoded.ToString();
    }
}
