using System.Globalization;

namespace Portcullis.Resources.Reading;

/// <summary>
/// Types an unquoted YAML scalar as kubectl does: YAML 1.1 with its <c>yes</c>, <c>on</c> and octal <c>0123</c>
/// (go-yaml v2 below <c>sigs.k8s.io/yaml</c>). What another reader would take for text is thus seen, and refused where text is due.
/// </summary>
internal static class PlainScalar
{
    public static ScalarKind Resolve(string text) => text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => ScalarKind.Null,
        "y" or "Y" or "yes" or "Yes" or "YES" or "true" or "True" or "TRUE" or "on" or "On" or "ON" => ScalarKind.Boolean,
        "n" or "N" or "no" or "No" or "NO" or "false" or "False" or "FALSE" or "off" or "Off" or "OFF" => ScalarKind.Boolean,
        ".inf" or ".Inf" or ".INF" or "+.inf" or "+.Inf" or "+.INF" or "-.inf" or "-.Inf" or "-.INF" or ".nan" or ".NaN" or ".NAN" => ScalarKind.Float,
        _ => text[0] is (>= '0' and <= '9') or '-' or '+' or '.' ? ResolveNumber(text) : ScalarKind.Text,
    };

    /// <summary>Whether a boolean scalar is true.</summary>
    public static bool IsTrue(string text) => text[0] is 'y' or 'Y' or 't' or 'T' || text is "on" or "On" or "ON";

    /// <summary>The value of an integer scalar, also in its hexadecimal, binary and octal forms.</summary>
    public static bool TryInteger(string text, out long value)
    {
        var digits = text.Replace("_", "", StringComparison.Ordinal).AsSpan();
        var negative = digits.StartsWith("-");
        if (negative || digits.StartsWith("+"))
        {
            digits = digits[1..];
        }

        var (radix, skip) = digits switch
        {
            ['0', 'x' or 'X', _, ..] => (16, 2),
            ['0', 'b' or 'B', _, ..] => (2, 2),
            ['0', 'o' or 'O', _, ..] => (8, 2),
            ['0', _, ..] => (8, 1),
            _ => (10, 0),
        };
        value = 0;
        if (digits.IsEmpty || digits.Length - skip > 64)
        {
            return false;
        }

        foreach (var digit in digits[skip..])
        {
            var d = char.IsAsciiHexDigit(digit) ? Convert.ToInt32(digit.ToString(), 16) : radix;
            if (d >= radix || value > (long.MaxValue - d) / radix)
            {
                return false;
            }

            value = value * radix + d;
        }

        value = negative ? -value : value;
        return true;
    }

    /// <summary>The value of an integer or float scalar.</summary>
    public static bool TryNumber(string text, out double value)
    {
        if (TryInteger(text, out var integer))
        {
            value = integer;
            return true;
        }

        return double.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out value)
            && double.IsFinite(value);
    }

    private static ScalarKind ResolveNumber(string text) =>
        TryInteger(text, out _) ? ScalarKind.Integer : IsFloat(text) ? ScalarKind.Float : ScalarKind.Text;

    /// <summary>go-yaml's <c>^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$</c>, underscores removed.</summary>
    private static bool IsFloat(string text)
    {
        var rest = text.Replace("_", "", StringComparison.Ordinal).AsSpan();
        if (rest.StartsWith("-") || rest.StartsWith("+"))
        {
            rest = rest[1..];
        }

        var whole = Digits(ref rest);
        var fraction = 0;
        if (rest is ['.', ..])
        {
            rest = rest[1..];
            fraction = Digits(ref rest);
        }

        if (whole + fraction == 0)
        {
            return false;
        }

        if (rest is ['e' or 'E', ..])
        {
            rest = rest[1..];
            if (rest is ['-' or '+', ..])
            {
                rest = rest[1..];
            }

            if (Digits(ref rest) == 0)
            {
                return false;
            }
        }

        return rest.IsEmpty;
    }

    private static int Digits(ref ReadOnlySpan<char> rest)
    {
        var count = 0;
        while (count < rest.Length && char.IsAsciiDigit(rest[count]))
        {
            count++;
        }

        rest = rest[count..];
        return count;
    }
}
