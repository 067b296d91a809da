using Portcullis.Matching;
using Portcullis.Resources;

namespace Portcullis.Policy.Authentication;

/// <summary>The identity that a verified token gives a request. Immutable; shared by all requests with that token.</summary>
public sealed class JwtIdentity
{
    internal JwtIdentity(ClaimSet claims, JwtRuleReference rule)
    {
        Claims = claims;
        Rule = rule;
    }

    /// <summary>The claims as policies, routes and the access log see them.</summary>
    public ClaimSet Claims { get; }

    /// <summary><c>iss</c>; <see langword="null"/> when the token has none.</summary>
    public string? Issuer => Claims.Issuer;

    /// <summary><c>sub</c>; <see langword="null"/> when the token has none.</summary>
    public string? Subject => Claims.Subject;

    /// <summary>The rule that accepted the token.</summary>
    public JwtRuleReference Rule { get; }
}

/// <summary>Names one rule of one policy.</summary>
/// <param name="Policy">The RequestAuthentication.</param>
/// <param name="Index">Position in its <c>spec.jwtRules</c>.</param>
public sealed record JwtRuleReference(ResourceId Policy, int Index)
{
    /// <summary><c>spec.jwtRules[i]</c>.</summary>
    public string FieldPath => $"spec.jwtRules[{Index}]";

    /// <summary><c>namespace/name jwtRules[i]</c>.</summary>
    public override string ToString() => $"{Policy.Namespace}/{Policy.Name} jwtRules[{Index}]";
}
