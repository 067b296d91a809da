using System.Text.RegularExpressions;

namespace Portcullis.Resources.Reading;

/// <summary>
/// First look at a user's regular expression: length, and mistakes that no dialect takes. What is RE2's alone (<c>(?P&lt;n&gt;…)</c>,
/// <c>\Q…\E</c>, <c>[[:alpha:]]</c>, <c>\pN</c>) is left to the compiler of the matcher, which translates or refuses it.
/// </summary>
internal static class Regexes
{
    public const int MaxLength = 1024;

    public static string? Wrong(string pattern)
    {
        if (pattern.Length > MaxLength)
        {
            return $"the regular expression is {pattern.Length} characters long, {MaxLength} are allowed";
        }

        if (Lookaround(pattern))
        {
            return $"`{pattern}` is not an RE2 regular expression: it has no lookaround, atomic group or back-reference";
        }

        try
        {
            _ = new Regex(pattern, RegexOptions.CultureInvariant);
            return null;
        }
        catch (ArgumentException e) when (!IsRe2Only(pattern))
        {
            var reason = e.Message;
            var cut = reason.IndexOf("' at offset", StringComparison.Ordinal);
            return $"`{pattern}` is not a regular expression: {(cut < 0 ? reason : reason[(cut + 2)..]).TrimEnd('.')}";
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static bool Lookaround(string pattern)
    {
        for (var i = 0; i < pattern.Length - 1; i++)
        {
            if (pattern[i] == '\\')
            {
                if (pattern[i + 1] is >= '1' and <= '9' or 'k')
                {
                    return true;
                }

                i++;
            }
            else if (pattern.AsSpan(i) is ['(', '?', '=' or '!' or '>', ..] or ['(', '?', '<', '=' or '!', ..])
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsRe2Only(string pattern) =>
        pattern.Contains("(?P", StringComparison.Ordinal) || pattern.Contains(@"\Q", StringComparison.Ordinal)
        || pattern.Contains("[[:", StringComparison.Ordinal) || pattern.Contains(@"\p", StringComparison.OrdinalIgnoreCase)
        || pattern.Contains(@"\C", StringComparison.Ordinal) || pattern.Contains(@"\x{", StringComparison.Ordinal)
        || pattern.Contains("(?U", StringComparison.Ordinal) || pattern.Contains("[^[:", StringComparison.Ordinal);
}
