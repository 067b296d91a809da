using System.Text;
using Portcullis.Jose;

namespace Portcullis.Fuzz;

/// <summary>A whole token, read and verified as the gateway does.</summary>
public sealed class TokenTarget(SignedTokens tokens) : FuzzTarget
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    public override string Name => "token";

    public override IReadOnlyList<byte[]> Seeds { get; } = [.. tokens.All.Select(Encoding.ASCII.GetBytes)];

    public override byte[] Mutate(Mutator mutator, byte[] input) => mutator.Token(input);

    public override string Run(byte[] input) => Check(tokens, Encoding.Latin1.GetString(input));

    /// <summary>Also for tokens that the other targets put together.</summary>
    internal static string Check(SignedTokens tokens, string token)
    {
        var status = JsonWebToken.TryParse(token, out var jwt);
        if ((status == JwtStatus.Ok) != (jwt is not null))
        {
            throw new FuzzViolationException($"the status is {status}, the token {(jwt is null ? "null" : "there")}");
        }

        var jws = CompactJws.Verify(token, tokens.Keys);
        if (jws.IsValid && !tokens.WasSigned(token))
        {
            throw new FuzzViolationException("a JWS verified that was never signed");
        }

        if (jwt is null)
        {
            return $"{status}";
        }

        var lifetime = jwt.CheckLifetime(Now, TimeSpan.FromSeconds(60));
        var signature = jwt.VerifySignature(tokens.Keys);
        if ((signature == JwtStatus.Ok) != tokens.WasSigned(token))
        {
            throw new FuzzViolationException($"the signature of a token that was {(tokens.WasSigned(token) ? "" : "never ")}signed is {signature}");
        }

        Touch(jwt);
        return $"{jwt.Algorithm} kid:{jwt.KeyId is not null} {lifetime} {signature} aud:{Math.Min(jwt.Audiences.Length, 3)}";
    }

    /// <summary>All that can be asked of a token that was read; nothing of it may throw.</summary>
    private static void Touch(JsonWebToken jwt)
    {
        foreach (var audience in jwt.Audiences)
        {
            ArgumentNullException.ThrowIfNull(audience);
        }

        _ = (jwt.Issuer, jwt.Subject, jwt.JwtId, jwt.Type, jwt.PayloadSegment, jwt.ExpiresAt, jwt.NotBefore, jwt.IssuedAt, jwt.ToString());
        JsonWalk.Over(jwt.Header);
        JsonWalk.Over(jwt.Payload);
    }
}
