using System.Collections.Immutable;
using Portcullis.Jose;
using Portcullis.Matching;

namespace Portcullis.Policy.Authentication;

/// <summary>One rule, ready to run.</summary>
internal sealed class CompiledJwtRule
{
    /// <summary>Fixed at Envoy, and Istio never changes it.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(60);

    /// <summary>Position in issuer order.</summary>
    public required int Ordinal { get; init; }

    public required JwtRuleReference Reference { get; init; }

    /// <summary><see langword="null"/> accepts every issuer.</summary>
    public required string? Issuer { get; init; }

    public required AudienceSet Audiences { get; init; }

    public required JwksSource Keys { get; init; }

    /// <summary>
    /// In the order of collection. Headers that this or an earlier rule writes are not among them: they are deleted before the rule looks (authentication.md §10).
    /// </summary>
    public required TokenLocation[] Locations { get; init; }

    public required bool IsRequired { get; init; }

    public required bool ForwardsToken { get; init; }

    public required bool RemovesTokenCookie { get; init; }

    public required string? PayloadHeader { get; init; }

    public required ClaimHeader[] ClaimHeaders { get; init; }

    public required string[] SpaceDelimited { get; init; }

    public bool Reads(TokenLocation location) => Array.IndexOf(Locations, location) >= 0;

    /// <summary>Whether a header is one of this rule's outputs.</summary>
    public bool Writes(string header)
    {
        if (string.Equals(PayloadHeader, header, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        foreach (var claimHeader in ClaimHeaders)
        {
            if (string.Equals(claimHeader.Header, header, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a token that this rule accepted at a location leaves the request.</summary>
    public bool Removes(TokenLocation location) =>
        !ForwardsToken && (location.Kind != TokenLocationKind.Cookie || RemovesTokenCookie);

    /// <summary>All checks of authentication.md §7, in its order.</summary>
    public JwtStatus Check(ref TokenMemo token, DateTimeOffset now)
    {
        var status = token.Read(now);
        if (status != JwtStatus.Ok)
        {
            return status;
        }

        return Issuer is null || string.Equals(Issuer, token.Jwt!.Issuer, StringComparison.Ordinal)
            ? CheckOfIssuer(ref token, now)
            : JwtStatus.UnknownIssuer;
    }

    /// <summary>The checks after the issuer's: 15–20.</summary>
    public JwtStatus CheckOfIssuer(ref TokenMemo token, DateTimeOffset now)
    {
        var jwt = token.Jwt!;
        var status = jwt.CheckLifetime(now, ClockSkew);
        if (status != JwtStatus.Ok)
        {
            return status;
        }

        return Audiences.Accepts(jwt.Audiences) ? token.VerifySignature(Keys) : JwtStatus.AudienceNotAllowed;
    }

    /// <summary>The identity and the output headers (authentication.md §10.1, §10.2, §10.4) of a token that passed <see cref="Check"/>.</summary>
    public AcceptedToken Accept(in TokenMemo token)
    {
        if (token.Remembered?.Accepted is { } known && ReferenceEquals(known.Rule, this))
        {
            return known;
        }

        var jwt = token.Jwt!;
        var claims = new ClaimSet(jwt.Payload, SpaceDelimited);
        var accepted = new AcceptedToken(this, new(claims, Reference), Outputs(jwt, claims));
        token.Remembered?.Accepted = accepted;
        return accepted;
    }

    private ImmutableArray<AppendedHeader> Outputs(JsonWebToken jwt, ClaimSet claims)
    {
        if (PayloadHeader is null && ClaimHeaders.Length == 0)
        {
            return [];
        }

        var outputs = ImmutableArray.CreateBuilder<AppendedHeader>(ClaimHeaders.Length + 1);
        if (PayloadHeader is not null)
        {
            outputs.Add(new(PayloadHeader, jwt.PayloadSegment));
        }

        foreach (var claimHeader in ClaimHeaders)
        {
            if (claimHeader.ValueFrom(claims) is { } value)
            {
                outputs.Add(new(claimHeader.Header, value));
            }
        }

        return outputs.DrainToImmutable();
    }
}
