using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>Istio's RequestAuthentication (security.istio.io/v1): how JSON Web Tokens are found and verified.</summary>
public sealed record RequestAuthentication : Resource
{
    /// <summary>Which workloads it applies to.</summary>
    public WorkloadSelection Selection { get; init; } = WorkloadSelection.All;

    /// <summary><c>spec.jwtRules</c>; none is valid and contributes nothing.</summary>
    public ImmutableArray<JwtRule> JwtRules { get; init; } = [];
}

/// <summary>Whether a token of the rule's issuer must be there (<c>jwtRules[].presence</c>).</summary>
public enum JwtPresence
{
    /// <summary>A request without a token passes without identity.</summary>
    Optional,

    /// <summary>A request without a token gets 401 <c>Jwt is missing</c>.</summary>
    Required,
}

/// <summary>One issuer's tokens: where they are, which keys sign them, what is handed on.</summary>
public sealed record JwtRule
{
    /// <summary>Must equal the <c>iss</c> claim to the byte; <see langword="null"/> accepts every issuer.</summary>
    public string? Issuer { get; init; }

    /// <summary>Any one of them must be in <c>aud</c>; empty: <c>aud</c> is not checked.</summary>
    public ImmutableArray<string> Audiences { get; init; } = [];

    /// <summary>URL of the key set (http or https).</summary>
    public string? JwksUri { get; init; }

    /// <summary>Inline key set, JSON text.</summary>
    public string? Jwks { get; init; }

    /// <summary>Header locations of the token.</summary>
    public ImmutableArray<JwtHeaderLocation> FromHeaders { get; init; } = [];

    /// <summary>Query parameters that carry the token.</summary>
    public ImmutableArray<string> FromParams { get; init; } = [];

    /// <summary>Cookies that carry the token.</summary>
    public ImmutableArray<string> FromCookies { get; init; } = [];

    /// <summary>Header that receives the raw base64url payload.</summary>
    public string? OutputPayloadToHeader { get; init; }

    /// <summary>Claims copied to headers.</summary>
    public ImmutableArray<ClaimToHeader> OutputClaimToHeaders { get; init; } = [];

    /// <summary>Keeps the token in the forwarded request.</summary>
    public bool ForwardOriginalToken { get; init; }

    /// <summary>Limit for fetching keys; <see langword="null"/> is 5 s.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Claims split at spaces, besides <c>scope</c> and <c>permission</c>.</summary>
    public ImmutableArray<string> SpaceDelimitedClaims { get; init; } = [];

    /// <summary>Whether the token must be there.</summary>
    public JwtPresence Presence { get; init; }
}

/// <summary>A header that carries a token.</summary>
/// <param name="Name">Header name, compared without case.</param>
/// <param name="Prefix">Text before the token, compared with case; empty: the whole value is the token.</param>
public sealed record JwtHeaderLocation(string Name, string Prefix);

/// <summary>A claim copied to a request header.</summary>
/// <param name="Header">Header name.</param>
/// <param name="Claim">Claim name or path.</param>
public sealed record ClaimToHeader(string Header, string Claim);
