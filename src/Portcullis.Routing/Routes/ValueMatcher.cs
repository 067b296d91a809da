using Portcullis.Matching;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>A compiled StringMatch: compares the whole value, by its case.</summary>
internal sealed class ValueMatcher
{
    private readonly string _operand;
    private readonly SafeRegex? _regex;

    private ValueMatcher(StringMatchKind kind, string operand, SafeRegex? regex) => (Kind, _operand, _regex) = (kind, operand, regex);

    public StringMatchKind Kind { get; }

    /// <summary>Only asks whether the attribute is there: <c>{}</c>, or the <c>*</c> that Istio reads as the same.</summary>
    public bool IsPresence => Kind == StringMatchKind.Present;

    /// <param name="match">As written.</param>
    /// <param name="regexes">Expressions compiled so far.</param>
    /// <param name="error">Why the regular expression is refused.</param>
    public static ValueMatcher? TryCompile(StringMatch match, RegexCache regexes, out string? error)
    {
        error = null;
        if (match.Kind != StringMatchKind.Regex)
        {
            return new(match.Kind, match.Value, null);
        }

        if (match.Value == "*")
        {
            return new(StringMatchKind.Present, "", null);
        }

        return regexes.TryGet(match.Value, out var regex, out error) ? new(StringMatchKind.Regex, match.Value, regex) : null;
    }

    public bool IsMatch(ReadOnlySpan<char> value) => Kind switch
    {
        StringMatchKind.Present => true,
        StringMatchKind.Exact => value.SequenceEqual(_operand),
        StringMatchKind.Prefix => value.StartsWith(_operand, StringComparison.Ordinal),
        _ => _regex!.IsMatch(value),
    };
}
