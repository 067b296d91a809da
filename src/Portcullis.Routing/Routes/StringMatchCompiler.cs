using System.Diagnostics.CodeAnalysis;
using Portcullis.Matching;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>Compiles Istio's StringMatch. An expression is compiled once: generated configurations repeat them a thousand times.</summary>
internal sealed class StringMatchCompiler
{
    private readonly Dictionary<string, (SafeRegex? Regex, string? Reason)> _compiled = new(StringComparer.Ordinal);

    /// <summary>Only asks whether the attribute is there: <c>{}</c>, or the expression <c>*</c>, which Istio reads as the same.</summary>
    public static bool IsPresence(StringMatch match) => match is { Kind: StringMatchKind.Present } or { Kind: StringMatchKind.Regex, Value: "*" };

    /// <param name="match">As written.</param>
    /// <param name="matcher">Compares the whole value, by its case unless told otherwise.</param>
    /// <param name="reason">Why the regular expression is refused.</param>
    /// <param name="ignoreCase">For exact and prefix.</param>
    public bool TryCompile(StringMatch match, out StringMatcher matcher, [NotNullWhen(false)] out string? reason, bool ignoreCase = false)
    {
        reason = null;
        if (match.Kind == StringMatchKind.Regex && !IsPresence(match))
        {
            var found = TryGet(match.Value, out var regex, out reason);
            matcher = found ? StringMatcher.Regex(regex!) : default;
            return found;
        }

        matcher = match.Kind switch
        {
            StringMatchKind.Exact => StringMatcher.Exact(match.Value, ignoreCase),
            StringMatchKind.Prefix => StringMatcher.Prefix(match.Value, ignoreCase),
            _ => StringMatcher.Present,
        };
        return true;
    }

    private bool TryGet(string pattern, out SafeRegex? regex, [NotNullWhen(false)] out string? reason)
    {
        if (!_compiled.TryGetValue(pattern, out var known))
        {
            known = SafeRegex.TryCompile(pattern, out regex, out reason) ? (regex, null) : (null, reason);
            _compiled.Add(pattern, known);
        }

        (regex, reason) = known;
        return regex is not null;
    }
}
