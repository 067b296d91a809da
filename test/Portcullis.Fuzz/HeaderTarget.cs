using System.Buffers.Text;
using System.Text;

namespace Portcullis.Fuzz;

/// <summary>The JSON of a JOSE header, in a token whose other parts are good.</summary>
public sealed class HeaderTarget(SignedTokens tokens) : FuzzTarget
{
    private readonly string _rest = tokens.All.First()[tokens.All.First().IndexOf('.', StringComparison.Ordinal)..];

    public override string Name => "header";

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        .. tokens.All.Select(t => Base64Url.DecodeFromChars(t.AsSpan(0, t.IndexOf('.', StringComparison.Ordinal)))),
        """{"alg":"none"}"""u8.ToArray(),
        """{"typ":"JWT","alg":"RS256","kid":"rsa","crit":["exp"],"exp":1,"jku":"https://evil.example/","jwk":{"kty":"oct","k":"AA"},"x5c":["AA=="],"b64":false}"""u8.ToArray(),
    ];

    public override byte[] Mutate(Mutator mutator, byte[] input) => mutator.Json(input);

    public override string Run(byte[] input) => TokenTarget.Check(tokens, Base64Url.EncodeToString(input) + _rest);
}

/// <summary>The JSON of the claims, in a token whose header is good.</summary>
public sealed class ClaimsTarget(SignedTokens tokens) : FuzzTarget
{
    public override string Name => "claims";

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        .. tokens.All.Select(t => t.Split('.')[1]).Distinct().Select(s => Base64Url.DecodeFromChars(s)),
        """{"exp":18446744073709551615,"nbf":-0.0,"iat":1e-400,"aud":[],"iss":"","sub":"","jti":""}"""u8.ToArray(),
    ];

    public override byte[] Mutate(Mutator mutator, byte[] input) => mutator.Json(input);

    public override string Run(byte[] input) =>
        TokenTarget.Check(tokens, $"{Base64Url.EncodeToString(Encoding.ASCII.GetBytes("""{"alg":"HS256"}"""))}.{Base64Url.EncodeToString(input)}.AAAA");
}
