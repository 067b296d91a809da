using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>What a matching AuthorizationPolicy does.</summary>
public enum PolicyAction
{
    /// <summary>Lets the request pass; with any ALLOW policy attached, what none of them matches is denied.</summary>
    Allow,

    /// <summary>Refuses the request.</summary>
    Deny,

    /// <summary>Marks the request for the access log; never changes the verdict.</summary>
    Audit,

    /// <summary>Asks an external authorizer.</summary>
    Custom,
}

/// <summary>Istio's AuthorizationPolicy (security.istio.io/v1): who may do what.</summary>
public sealed record AuthorizationPolicy : Resource
{
    /// <summary>Which workloads it applies to.</summary>
    public WorkloadSelection Selection { get; init; } = WorkloadSelection.All;

    /// <summary>What a match does.</summary>
    public PolicyAction Action { get; init; } = PolicyAction.Allow;

    /// <summary><c>spec.provider.name</c>; only with <see cref="PolicyAction.Custom"/>.</summary>
    public string? ProviderName { get; init; }

    /// <summary>Any rule may match. None at all matches no request; one empty rule matches every request.</summary>
    public ImmutableArray<AuthorizationRule> Rules { get; init; } = [];
}

/// <summary>(any of From) and (any of To) and (all of When); an empty list adds no constraint.</summary>
public sealed record AuthorizationRule
{
    /// <summary>Sources, any of which must match.</summary>
    public ImmutableArray<RequestSource> From { get; init; } = [];

    /// <summary>Operations, any of which must match.</summary>
    public ImmutableArray<Operation> To { get; init; } = [];

    /// <summary>Conditions, all of which must hold.</summary>
    public ImmutableArray<Condition> When { get; init; } = [];
}

/// <summary>Who sends the request: every non-empty field must hold; inside a field any value will do.</summary>
public sealed record RequestSource
{
    /// <summary>Peer certificate identities.</summary>
    public ImmutableArray<string> Principals { get; init; } = [];

    /// <summary>None of these.</summary>
    public ImmutableArray<string> NotPrincipals { get; init; } = [];

    /// <summary><c>issuer/subject</c> of a verified token.</summary>
    public ImmutableArray<string> RequestPrincipals { get; init; } = [];

    /// <summary>None of these.</summary>
    public ImmutableArray<string> NotRequestPrincipals { get; init; } = [];

    /// <summary>Namespaces from the peer certificate.</summary>
    public ImmutableArray<string> Namespaces { get; init; } = [];

    /// <summary>None of these.</summary>
    public ImmutableArray<string> NotNamespaces { get; init; } = [];

    /// <summary>Service accounts from the peer certificate, <c>name</c> or <c>namespace/name</c>.</summary>
    public ImmutableArray<string> ServiceAccounts { get; init; } = [];

    /// <summary>None of these.</summary>
    public ImmutableArray<string> NotServiceAccounts { get; init; } = [];

    /// <summary>Addresses or CIDR blocks of the TCP peer.</summary>
    public ImmutableArray<string> IpBlocks { get; init; } = [];

    /// <summary>None of these.</summary>
    public ImmutableArray<string> NotIpBlocks { get; init; } = [];

    /// <summary>Addresses or CIDR blocks of the client, after X-Forwarded-For and PROXY protocol.</summary>
    public ImmutableArray<string> RemoteIpBlocks { get; init; } = [];

    /// <summary>None of these.</summary>
    public ImmutableArray<string> NotRemoteIpBlocks { get; init; } = [];

    /// <summary>Trust domains from the peer certificate.</summary>
    public ImmutableArray<string> TrustDomains { get; init; } = [];

    /// <summary>None of these.</summary>
    public ImmutableArray<string> NotTrustDomains { get; init; } = [];
}

/// <summary>What the request does: every non-empty field must hold; inside a field any value will do.</summary>
public sealed record Operation
{
    /// <summary>Host header values, compared without case; the port counts.</summary>
    public ImmutableArray<string> Hosts { get; init; } = [];

    /// <summary>None of these.</summary>
    public ImmutableArray<string> NotHosts { get; init; } = [];

    /// <summary>Local ports of the connection, decimal.</summary>
    public ImmutableArray<string> Ports { get; init; } = [];

    /// <summary>None of these.</summary>
    public ImmutableArray<string> NotPorts { get; init; } = [];

    /// <summary>HTTP methods.</summary>
    public ImmutableArray<string> Methods { get; init; } = [];

    /// <summary>None of these.</summary>
    public ImmutableArray<string> NotMethods { get; init; } = [];

    /// <summary>Paths or path templates.</summary>
    public ImmutableArray<string> Paths { get; init; } = [];

    /// <summary>None of these.</summary>
    public ImmutableArray<string> NotPaths { get; init; } = [];
}

/// <summary>A condition on an attribute.</summary>
public sealed record Condition
{
    /// <summary>Attribute name, for example <c>request.auth.claims[groups]</c>.</summary>
    public required string Key { get; init; }

    /// <summary>Any of these must match.</summary>
    public ImmutableArray<string> Values { get; init; } = [];

    /// <summary>None of these may match.</summary>
    public ImmutableArray<string> NotValues { get; init; } = [];
}
