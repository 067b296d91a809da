using System.Collections.Immutable;
using Portcullis.Matching;

namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>A list of header names of a provider: each exact, <c>prefix*</c> or <c>*suffix</c>, compared without case.</summary>
internal sealed class HeaderNameList
{
    private readonly StringMatcher[] _names;

    public HeaderNameList(ImmutableArray<string> names, params ReadOnlySpan<string> always) =>
        _names = [.. names.Select(StringMatcher.PolicyHost), .. always.ToArray().Select(n => StringMatcher.Exact(n, ignoreAsciiCase: true))];

    public bool Contains(string name) => StringMatcher.AnyMatch(_names, name);
}
