using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Policy.Authorization.Reference;

/// <summary>Structure of a rule (§1) and what errors in it do (§7.2).</summary>
internal sealed class ReferenceRule(AuthorizationPolicy policy, AuthorizationRule rule, MeshConfig mesh)
{
    private readonly ReferenceAttributes _attributes = new(policy, mesh);

    private bool IsAllow => policy.Action == PolicyAction.Allow;

    /// <summary>(any source) and (any operation) and (all conditions); <see cref="Truth.Unknown"/> only where the identity is open.</summary>
    public Truth Evaluate(ReferenceRequest request, string path)
    {
        var from = rule.From.Select(s => All(s, request, path)).ToArray();
        var to = rule.To.Select(o => All(o, request, path)).ToArray();
        var when = rule.When.Select(c => Condition(c, request, path)).ToArray();
        if (from.Concat(to).Concat(when).Any(t => t is null))
        {
            return Truth.False; // an ALLOW rule with anything unusable in it is dropped
        }

        return And([Or(from), Or(to), And(when)])!.Value;
    }

    private Truth? All(RequestSource s, ReferenceRequest request, string path) => And(
    [
        Field("source.principal", s.Principals, s.NotPrincipals, request, path),
        Field("request.auth.principal", s.RequestPrincipals, s.NotRequestPrincipals, request, path),
        Field("source.namespace", s.Namespaces, s.NotNamespaces, request, path),
        Field("source.serviceAccount", s.ServiceAccounts, s.NotServiceAccounts, request, path),
        Field("source.ip", s.IpBlocks, s.NotIpBlocks, request, path),
        Field("remote.ip", s.RemoteIpBlocks, s.NotRemoteIpBlocks, request, path),
        Field("source.trustDomain", s.TrustDomains, s.NotTrustDomains, request, path),
    ]);

    private Truth? All(Operation o, ReferenceRequest request, string path) => And(
    [
        Field("hosts", o.Hosts, o.NotHosts, request, path),
        Field("methods", o.Methods, o.NotMethods, request, path),
        Field("destination.port", o.Ports, o.NotPorts, request, path),
        Field("paths", o.Paths, o.NotPaths, request, path),
    ]);

    private Truth? Condition(Condition condition, ReferenceRequest request, string path)
    {
        var isUsable = ReferenceAttributes.IsKey(condition.Key) && condition.Values.Length + condition.NotValues.Length > 0;
        return isUsable
            ? Field(condition.Key, condition.Values, condition.NotValues, request, path)
            : Unusable;
    }

    /// <summary>An error narrows ALLOW and widens all else.</summary>
    private Truth? Unusable => IsAllow ? null : Truth.True;

    /// <returns><see langword="null"/> when it makes an ALLOW rule unusable.</returns>
    private Truth? Field(string key, ImmutableArray<string> values, ImmutableArray<string> notValues, ReferenceRequest request, string path)
    {
        var positive = AnyOf(key, values, request, path);
        var negative = AnyOf(key, notValues, request, path);
        if (positive.IsUnusable || negative.IsUnusable)
        {
            return null;
        }

        return And([positive.Truth ?? Truth.True, negative.Truth is { } n ? n.Negate() : Truth.True]);
    }

    /// <summary>Whether any value passes; no value that can be used is no constraint.</summary>
    private (Truth? Truth, bool IsUnusable) AnyOf(string key, ImmutableArray<string> values, ReferenceRequest request, string path)
    {
        var tests = values.Select(v => _attributes.Test(key, v, request, path)).ToArray();
        if (IsAllow && tests.Any(t => t is null))
        {
            return (null, true);
        }

        var usable = tests.Where(t => t is not null).Select(t => t!.Value).ToArray();
        return (usable.Length == 0 ? null : usable.Max(), false);
    }

    private static Truth? And(Truth?[] truths) => truths.Any(t => t is null) ? null : truths.Append(Truth.True).Min();

    private static Truth? Or(Truth?[] truths) => truths.Length == 0 ? Truth.True : truths.Max();
}
