using System.Collections.Frozen;

namespace Portcullis.Policy.Authentication;

/// <summary>Where a rule's keys are fetched from and how. Equal by value: equal locations may share one source.</summary>
public sealed record JwksLocation
{
    /// <summary>Istio's default for <c>jwtRules[].timeout</c>.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);

    /// <summary><c>jwtRules[].issuer</c>; <see langword="null"/> when the rule accepts every issuer.</summary>
    public string? Issuer { get; init; }

    /// <summary><c>jwtRules[].jwksUri</c>; <see langword="null"/> means OIDC discovery from <see cref="Issuer"/>.</summary>
    public string? JwksUri { get; init; }

    /// <summary><c>jwtRules[].timeout</c> for discovery and for the key fetch, each.</summary>
    public TimeSpan Timeout { get; init; } = DefaultTimeout;

    /// <summary>The policy's annotations under <see cref="PolicyAnnotations.Prefix"/>; all others are left out, so that they split nothing.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>By value, annotations included.</summary>
    public bool Equals(JwksLocation? other) =>
        other is not null
        && string.Equals(Issuer, other.Issuer, StringComparison.Ordinal)
        && string.Equals(JwksUri, other.JwksUri, StringComparison.Ordinal)
        && Timeout == other.Timeout
        && SameAnnotations(other.Annotations);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Issuer, JwksUri, Timeout, Annotations.Count);

    private bool SameAnnotations(IReadOnlyDictionary<string, string> others)
    {
        if (Annotations.Count != others.Count)
        {
            return false;
        }

        foreach (var (key, value) in Annotations)
        {
            if (!others.TryGetValue(key, out var other) || !string.Equals(value, other, StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }
}
