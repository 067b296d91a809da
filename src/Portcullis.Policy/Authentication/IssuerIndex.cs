using System.Collections.Frozen;

namespace Portcullis.Policy.Authentication;

/// <summary>The rules that read one location, by issuer, so that the token of one issuer costs the same with one rule and with five hundred.</summary>
internal sealed class IssuerIndex
{
    private readonly CompiledJwtRule[] _anyIssuer;
    private readonly FrozenDictionary<string, CompiledJwtRule[]> _byIssuer;

    /// <param name="readers">In issuer order; at least one.</param>
    public IssuerIndex(CompiledJwtRule[] readers)
    {
        First = readers[0];
        _anyIssuer = [.. readers.Where(r => r.Issuer is null)];
        _byIssuer = readers.Where(r => r.Issuer is not null)
            .GroupBy(r => r.Issuer!, StringComparer.Ordinal)
            .ToFrozenDictionary(g => g.Key, g => (CompiledJwtRule[])[.. _anyIssuer, .. g], StringComparer.Ordinal);
    }

    /// <summary>The first reader in issuer order: it decides which error is reported (authentication.md §5.1).</summary>
    public CompiledJwtRule First { get; }

    /// <summary>The rules that accept an issuer, in issuer order: those without one sort first.</summary>
    public ReadOnlySpan<CompiledJwtRule> Of(string? issuer) =>
        issuer is not null && _byIssuer.TryGetValue(issuer, out var rules) ? rules : _anyIssuer;
}
