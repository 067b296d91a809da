using System.Diagnostics.CodeAnalysis;
using Portcullis.Matching;

namespace Portcullis.Routing;

/// <summary>Expressions of one compilation, each compiled once: generated configurations repeat them a thousand times.</summary>
internal sealed class RegexCache
{
    private readonly Dictionary<string, (SafeRegex? Regex, string? Reason)> _compiled = new(StringComparer.Ordinal);

    public bool TryGet(string pattern, [NotNullWhen(true)] out SafeRegex? regex, [NotNullWhen(false)] out string? reason)
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
