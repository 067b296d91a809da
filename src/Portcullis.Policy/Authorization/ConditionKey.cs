using System.Diagnostics.CodeAnalysis;
using Portcullis.Matching;

namespace Portcullis.Policy.Authorization;

/// <summary>The attribute that a field or a condition is about.</summary>
internal enum AttributeKind
{
    None,
    PeerPrincipal,
    PeerNamespace,
    PeerServiceAccount,
    PeerTrustDomain,
    RequestPrincipal,
    PeerAddress,
    RemoteAddress,
    LocalAddress,
    LocalPort,
    Host,
    Method,
    Path,
    Header,
    Claim,
    ServerName,
    Metadata,
}

/// <summary>A condition's key, read (authorization.md §6.3).</summary>
/// <param name="Kind">The attribute.</param>
/// <param name="Header">Name, of a header.</param>
/// <param name="Claim">Path, of a claim.</param>
internal readonly record struct ConditionKey(AttributeKind Kind, string? Header = null, ClaimPath? Claim = null)
{
    /// <summary>Whether the attribute comes from the token, which is not yet read when CUSTOM policies are tried.</summary>
    public bool IsOfToken => Kind is AttributeKind.RequestPrincipal or AttributeKind.Claim;

    /// <summary>Whether the attribute exists on an HTTP listener only.</summary>
    public bool IsHttpOnly => IsOfToken || Kind is AttributeKind.Host or AttributeKind.Method or AttributeKind.Path or AttributeKind.Header;

    public static bool TryParse(string key, out ConditionKey parsed, [NotNullWhen(false)] out string? reason)
    {
        const string Headers = "request.headers";
        const string Claims = "request.auth.claims";
        const string Metadata = "experimental.envoy.filters.";

        reason = null;
        parsed = key switch
        {
            "source.ip" => new(AttributeKind.PeerAddress),
            "remote.ip" => new(AttributeKind.RemoteAddress),
            "source.namespace" => new(AttributeKind.PeerNamespace),
            "source.serviceAccount" => new(AttributeKind.PeerServiceAccount),
            "source.principal" => new(AttributeKind.PeerPrincipal),
            "source.trustDomain" => new(AttributeKind.PeerTrustDomain),
            "request.auth.principal" => new(AttributeKind.RequestPrincipal),
            "request.auth.audiences" => new(AttributeKind.Claim, Claim: ClaimPath.Literal("aud")),
            "request.auth.presenter" => new(AttributeKind.Claim, Claim: ClaimPath.Literal("azp")),
            "destination.ip" => new(AttributeKind.LocalAddress),
            "destination.port" => new(AttributeKind.LocalPort),
            "connection.sni" => new(AttributeKind.ServerName),
            _ => default,
        };
        if (parsed.Kind != AttributeKind.None)
        {
            return true;
        }

        if (key.StartsWith(Headers, StringComparison.Ordinal) && key[Headers.Length..] is ['[', .. { Length: > 0 } name, ']'])
        {
            parsed = new(AttributeKind.Header, Header: name);
            return true;
        }

        if (ClaimPath.TryParsePolicyKey(key, out var claim))
        {
            parsed = new(AttributeKind.Claim, Claim: claim);
            return true;
        }

        if (key.StartsWith(Metadata, StringComparison.Ordinal) && key.EndsWith(']') && key.IndexOf('[') is > 0 and var open && open < key.Length - 2)
        {
            parsed = new(AttributeKind.Metadata);
            return true;
        }

        reason = key.StartsWith(Headers, StringComparison.Ordinal)
            || key.StartsWith(Claims, StringComparison.Ordinal)
            || key.StartsWith(Metadata, StringComparison.Ordinal)
                ? $"bad key (`{key}`): should have format a[b]"
                : $"unknown attribute: `{key}`";
        return false;
    }
}
