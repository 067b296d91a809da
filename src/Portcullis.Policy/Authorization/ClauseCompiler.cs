using System.Globalization;
using Portcullis.Matching;
using Portcullis.Resources;

namespace Portcullis.Policy.Authorization;

/// <summary>Checks the values of a field and makes its clause of them.</summary>
internal sealed class ClauseCompiler(AuthorizationPolicy policy, MeshConfig mesh, bool isTcp)
{
    private readonly TrustDomains _trustDomains = new(mesh);
    private readonly bool _acceptsNoSubject = mesh.PrincipalWithoutSub == PrincipalWithoutSubMode.Accept;

    /// <returns>Why a value cannot be used, or <see langword="null"/> when it can.</returns>
    public string? Check(ConditionKey attribute, string value)
    {
        if (isTcp && attribute.IsHttpOnly)
        {
            return "HTTP attributes cannot be used on a TCP listener";
        }

        if (policy.Action == PolicyAction.Custom && attribute.IsOfToken)
        {
            return "the token is not known to a CUSTOM policy, which is tried before it is verified";
        }

        switch (attribute.Kind)
        {
            case AttributeKind.PeerAddress or AttributeKind.RemoteAddress or AttributeKind.LocalAddress:
                return CidrBlock.TryParse(value, out _, out var reason) ? null : reason;
            case AttributeKind.LocalPort:
                return TryParsePort(value, out _) ? null : $"bad port (`{value}`): it must be a number from 0 to 65535";
            case AttributeKind.Path:
                return PathMatcher.TryCompile(value, out _, out reason) ? CheckNotEmpty(value) : $"invalid or unsupported path `{value}`: {reason}";
            case AttributeKind.PeerServiceAccount:
                return TryParseServiceAccount(value, out _, out _)
                    ? null
                    : $"expected format 'serviceAccount' or 'namespace/serviceAccount' without wildcards, found `{value}`";
            case AttributeKind.PeerTrustDomain:
                return value.Contains('/') || value.AsSpan().Count('*') > 1 || (value.Contains('*') && value is not (['*', ..] or [.., '*']))
                    ? $"a trust domain must not contain '/', and a wildcard is allowed once, at its start or end, found `{value}`"
                    : CheckNotEmpty(value);
            case AttributeKind.Header or AttributeKind.Claim or AttributeKind.ServerName or AttributeKind.Metadata:
                return null;
            default:
                return CheckNotEmpty(value);
        }
    }

    /// <summary>Makes the clause of values that passed <see cref="Check"/>.</summary>
    public Clause Compile(ConditionKey attribute, List<string> values, bool isNegated)
    {
        return attribute.Kind switch
        {
            AttributeKind.PeerPrincipal => Peer(values.SelectMany(_trustDomains.ExpandPrincipal).Select(PeerIdentityMatcher.Principal)),
            AttributeKind.PeerNamespace => Peer(values.Select(PeerIdentityMatcher.Namespace)),
            AttributeKind.PeerServiceAccount => Peer(values.Select(ServiceAccount)),
            AttributeKind.PeerTrustDomain => Peer(values.SelectMany(_trustDomains.ExpandDomain).Select(PeerIdentityMatcher.TrustDomain)),
            AttributeKind.RequestPrincipal => Of(
                ClauseKind.RequestPrincipal, values.Select(v => RequestPrincipalMatcher.Compile(v, _acceptsNoSubject)).ToArray()),
            AttributeKind.PeerAddress => Of(ClauseKind.PeerAddress, Addresses(values)),
            AttributeKind.RemoteAddress => Of(ClauseKind.RemoteAddress, Addresses(values)),
            AttributeKind.LocalAddress => Of(ClauseKind.LocalAddress, Addresses(values)),
            AttributeKind.LocalPort => Of(ClauseKind.LocalPort, values.Select(v => TryParsePort(v, out var port) ? port : -1).ToArray()),
            AttributeKind.Host => Of(ClauseKind.Host, values.Select(StringMatcher.PolicyHost).ToArray()),
            AttributeKind.Method => Of(ClauseKind.Method, values.Select(StringMatcher.PolicyHeader).ToArray()),
            AttributeKind.Path => Of(ClauseKind.Path, values.Select(Path).ToArray()),
            AttributeKind.Header => Of(ClauseKind.Header, new HeaderMatcher(attribute.Header!, [.. values.Select(StringMatcher.PolicyHeader)])),
            AttributeKind.Claim => Of(ClauseKind.Claim, new ClaimMatcher(attribute.Claim!, [.. values.Select(StringMatcher.Policy)])),
            AttributeKind.ServerName => Of(ClauseKind.ServerName, values.Select(StringMatcher.Policy).ToArray()),
            _ => Of(ClauseKind.Metadata, values),
        };

        Clause Of(ClauseKind kind, object operand) => new(kind, isNegated, operand);
        Clause Peer(IEnumerable<PeerIdentityMatcher> matchers) => Of(ClauseKind.PeerIdentity, matchers.ToArray());
    }

    private PeerIdentityMatcher ServiceAccount(string value)
    {
        _ = TryParseServiceAccount(value, out var ns, out var name);
        return PeerIdentityMatcher.ServiceAccount(ns, name);
    }

    private static PathMatcher Path(string value)
    {
        _ = PathMatcher.TryCompile(value, out var matcher, out _);
        return matcher;
    }

    private static CidrSet Addresses(List<string> values) => new([.. values.Select(v =>
    {
        _ = CidrBlock.TryParse(v, out var block, out _);
        return block;
    })]);

    private bool TryParseServiceAccount(string value, out string ns, out string name)
    {
        var slash = value.IndexOf('/');
        ns = slash < 0 ? policy.Metadata.Namespace : value[..slash];
        name = value[(slash + 1)..];
        return ns.Length > 0 && name.Length > 0 && !name.Contains('/') && !value.Contains('*');
    }

    private static bool TryParsePort(string value, out int port) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= ushort.MaxValue;

    private static string? CheckNotEmpty(string value) => value.Length == 0 ? "empty value not allowed" : null;
}
