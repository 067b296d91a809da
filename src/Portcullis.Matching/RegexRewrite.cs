using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Portcullis.Matching;

/// <summary>Replaces every match of an RE2 pattern in a text (Istio's <c>uriRegexRewrite</c>, Envoy's <c>regex_rewrite</c>).</summary>
public sealed class RegexRewrite
{
    private readonly SafeRegex _regex;
    private readonly string _substitution;

    private RegexRewrite(SafeRegex regex, string substitution) => (_regex, _substitution) = (regex, substitution);

    /// <summary>Compiles a rewrite.</summary>
    /// <param name="pattern">RE2; it need not match the whole text.</param>
    /// <param name="substitution"><c>\0</c> is the whole match, <c>\1</c> to <c>\9</c> its groups, <c>\\</c> a backslash.</param>
    /// <param name="rewrite">The compiled rewrite.</param>
    /// <param name="reason">Why it is refused.</param>
    public static bool TryCompile(
        string pattern, string substitution, [NotNullWhen(true)] out RegexRewrite? rewrite, [NotNullWhen(false)] out string? reason)
    {
        rewrite = null;
        if (!SafeRegex.TryCompile(pattern, out var regex, out reason))
        {
            return false;
        }

        for (var i = 0; i < substitution.Length; i++)
        {
            if (substitution[i] != '\\')
            {
                continue;
            }

            i++;
            if (i == substitution.Length || (substitution[i] != '\\' && !char.IsAsciiDigit(substitution[i])))
            {
                reason = "in the substitution a backslash must be followed by a digit or a backslash";
                return false;
            }

            if (char.IsAsciiDigit(substitution[i]) && substitution[i] - '0' > regex.GroupCount)
            {
                reason = $"the substitution names group {substitution[i]}, but the regular expression has {regex.GroupCount}";
                return false;
            }
        }

        rewrite = new RegexRewrite(regex, substitution);
        return true;
    }

    /// <summary>The text with every match replaced; the same instance when there is none.</summary>
    public string Apply(string text)
    {
        StringBuilder? output = null;
        Span<Range> groups = stackalloc Range[10];
        groups = groups[..(Math.Min(_regex.GroupCount, 9) + 1)];
        var position = 0;
        var lastEnd = -1;
        while (position <= text.Length && _regex.TryFind(text, position, groups))
        {
            var (start, length) = groups[0].GetOffsetAndLength(text.Length);
            output ??= new StringBuilder(text.Length + _substitution.Length);
            output.Append(text, position, start - position);
            position = start;
            if (length == 0 && start == lastEnd)
            {
                // RE2 allows no empty match right after another match: step over one character
                var step = start == text.Length ? 0 : char.IsSurrogatePair(text, start) ? 2 : 1;
                output.Append(text, start, step);
                position += Math.Max(step, 1);
                continue;
            }

            Substitute(output, text, groups);
            position = lastEnd = start + length;
        }

        return output is null ? text : output.Append(text, Math.Min(position, text.Length), Math.Max(text.Length - position, 0)).ToString();
    }

    private void Substitute(StringBuilder output, string text, ReadOnlySpan<Range> groups)
    {
        for (var i = 0; i < _substitution.Length; i++)
        {
            if (_substitution[i] != '\\')
            {
                output.Append(_substitution[i]);
            }
            else if (_substitution[++i] == '\\')
            {
                output.Append('\\');
            }
            else
            {
                output.Append(text.AsSpan()[groups[_substitution[i] - '0']]);
            }
        }
    }
}
