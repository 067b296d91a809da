using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Policy.Authorization;

/// <summary>The mesh's trust domain and its aliases: a policy that names one of them means them all.</summary>
internal sealed class TrustDomains(MeshConfig mesh)
{
    /// <summary>What authors write for "this mesh", whatever its domain.</summary>
    private const string Local = "cluster.local";

    private readonly ImmutableArray<string> _domains = [mesh.TrustDomain, .. mesh.TrustDomainAliases];

    /// <summary>The principal under every domain; only <c>domain/ns/…/sa/…</c>, of exactly five parts, has one.</summary>
    public IEnumerable<string> ExpandPrincipal(string principal)
    {
        var parts = principal.Split('/');
        if (parts.Length != 5 || parts[0] == "*" || (parts[0] != Local && !_domains.Any(d => Covers(parts[0], d))))
        {
            return [principal];
        }

        return _domains
            .Select(d => parts[0].StartsWith('*') && Covers(parts[0], d) ? principal : $"{d}/{string.Join('/', parts[1..])}")
            .Distinct();
    }

    /// <summary>The value of <c>trustDomains</c> under every domain.</summary>
    public IEnumerable<string> ExpandDomain(string domain) => _domains.Contains(domain) ? _domains.Distinct() : [domain];

    private static bool Covers(string pattern, string domain) =>
        pattern == domain || (pattern.StartsWith('*') && domain.EndsWith(pattern[1..], StringComparison.Ordinal));
}
