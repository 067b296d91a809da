using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Portcullis.Jose.Tests;

/// <summary>
/// Generated tokens, good and broken, read by us and by Microsoft.IdentityModel: we never accept what it refuses, and where it accepts
/// what we refuse the reason is one of the rules listed in <see cref="Stricter"/>.
/// </summary>
public sealed class SecondOpinionTests
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    /// <summary>A hundred thousand take some minutes: <c>PORTCULLIS_DIFFERENTIAL_TOKENS=100000</c>.</summary>
    private static readonly int Tokens =
        int.TryParse(Environment.GetEnvironmentVariable("PORTCULLIS_DIFFERENTIAL_TOKENS"), out var tokens) ? tokens : 10_000;

    private static readonly JwsAlgorithm[] Algorithms = [.. JwsAlgorithms.All.Where(a => a != JwsAlgorithm.EdDSA)];

    /// <summary>Ours alone, each with what decides it.</summary>
    private static readonly (string Mutation, string Why)[] Stricter =
    [
        ("duplicate claim", "RFC 7519 §4: claim names must be unique; a reader may take either"),
        ("duplicate header", "RFC 7515 §4: header names must be unique"),
        ("crit", "RFC 7515 §4.1.11: an extension that is not understood makes the JWS invalid"),
        ("number sub", "RFC 7519 §4.1.2: sub is a string"),
        ("text exp", "RFC 7519 §4.1.4: exp is a number"),
        ("negative iat", "Envoy: not a positive 64 bit integer"),
        ("padding", "RFC 7515 §2: base64url has no padding"),
        ("trailing data", "RFC 8259 §2: one value and nothing after it"),
    ];

    [Fact]
    public async Task Check_OfGeneratedTokens_AgreesWithMicrosoftIdentityModel()
    {
        var handler = new JsonWebTokenHandler();
        var ours = Keys.SetOf(Algorithms.Select(Keys.Of));
        var parameters = new TokenValidationParameters
        {
            IssuerSigningKeys = [.. Algorithms.Select(TheirKeyOf)],
            ValidateIssuer = false,
            ValidateAudience = false,
            RequireExpirationTime = false,
            ClockSkew = TimeSpan.FromSeconds(60),
            LifetimeValidator = (notBefore, expires, _, _) => // theirs reads the clock; the rule is ours, on the times that they read
                (notBefore is null || Now.UtcDateTime.AddSeconds(60) >= notBefore) && (expires is null || expires <= DateTime.UnixEpoch || Now.UtcDateTime <= expires.Value.AddSeconds(60)),
        };
        var accepted = 0;
        var differences = new SortedDictionary<string, int>();
        var random = new Random(20240501);
        for (var i = 0; i < Tokens; i++)
        {
            var algorithm = Algorithms[i % Algorithms.Length];
            var (mutation, token) = Generate(random, algorithm);
            var status = JsonWebToken.TryParse(token, out var jwt);
            status = status == JwtStatus.Ok ? jwt!.CheckLifetime(Now, TimeSpan.FromSeconds(60)) : status;
            status = status == JwtStatus.Ok ? jwt!.VerifySignature(ours) : status;
            var theirs = (await handler.ValidateTokenAsync(token, parameters)).IsValid;

            Assert.False(status == JwtStatus.Ok && !theirs, $"{mutation} ({algorithm}): only we accept it");
            accepted += status == JwtStatus.Ok ? 1 : 0;
            if (theirs && status != JwtStatus.Ok)
            {
                differences[mutation] = differences.GetValueOrDefault(mutation) + 1;
            }
        }

        Assert.InRange(accepted, Tokens / 5, Tokens * 4 / 5);
        Assert.Equal(string.Join(", ", Stricter.Select(s => s.Mutation).Order(StringComparer.Ordinal)), string.Join(", ", differences.Keys.Order(StringComparer.Ordinal)));
    }

    private static (string Mutation, string Token) Generate(Random random, JwsAlgorithm algorithm)
    {
        var header = $$"""{"alg":"{{algorithm.Name}}","kid":"key-{{algorithm.Name}}","typ":"JWT"}""";
        var payload = $$"""{"iss":"i","sub":"s{{random.Next()}}","exp":{{Now.ToUnixTimeSeconds() + random.Next(-10, 1000)}}}""";
        string Signed(string h, string p) => Keys.Sign(h, p, algorithm);
        string With(string member) => Signed(header, payload[..^1] + "," + member + "}");
        var good = Signed(header, payload);
        return random.Next(48) switch
        {
            0 => ("expired", Signed(header, $$"""{"exp":{{Now.ToUnixTimeSeconds() - 61}}}""")),
            1 => ("just expired", Signed(header, $$"""{"exp":{{Now.ToUnixTimeSeconds() - 60}}}""")),
            2 => ("not yet valid", With($"\"nbf\":{Now.ToUnixTimeSeconds() + 61}")),
            3 => ("other signature", TestSupport.TokenIssuer.BreakSignature(good)),
            4 => ("changed payload", string.Join('.', good.Split('.') is [var h, _, var s] ? [h, Keys.Encode("""{"sub":"admin"}"""), s] : [])),
            5 => ("none", $"{Keys.Encode("""{"alg":"none"}""")}.{Keys.Encode(payload)}."),
            6 => ("other kid", Signed($$"""{"alg":"{{algorithm.Name}}","kid":"key-{{Algorithms[(Array.IndexOf(Algorithms, algorithm) + 1) % Algorithms.Length].Name}}"}""", payload)),
            7 => ("padding", good + "="),
            8 => ("white space", good.Insert(random.Next(good.Length), " ")),
            9 => ("duplicate claim", With("\"sub\":\"admin\"")),
            10 => ("duplicate header", Signed($$"""{"alg":"{{algorithm.Name}}",""" + header[1..], payload)),
            11 => ("crit", Signed(header[..^1] + ",\"crit\":[\"x\"],\"x\":1}", payload)),
            12 => ("number kid", Signed($$"""{"alg":"{{algorithm.Name}}","kid":1}""", payload)),
            13 => ("number sub", Signed(header, "{\"sub\":1}")),
            14 => ("number jti", With("\"jti\":1")),
            15 => ("text exp", Signed(header, $"{{\"exp\":\"{Now.ToUnixTimeSeconds() + 100}\"}}")),
            16 => ("negative iat", With("\"iat\":-1")),
            17 => ("lone surrogate", With("\"x\":\"\\ud800\"")),
            18 => ("trailing dot", good + "."),
            19 => ("deep nesting", With($"\"x\":{new string('[', 70)}{new string(']', 70)}")),
            20 => ("number aud", With("\"aud\":1")),
            21 => ("trailing data", Signed(header, payload + "}")),
            22 => ("unused bits", UnusedBits(good)),
            23 or 24 => ("one character changed", Changed(random, good)),
            25 => ("cut short", good[..random.Next(good.Length)]),
            26 => ("one character more", good.Insert(random.Next(good.Length), Alphabet[random.Next(64)].ToString())),
            27 => ("segments swapped", string.Join('.', good.Split('.').OrderBy(_ => random.Next()))),
            28 => ("escaped member name", Signed(header.Replace("alg", "\\u0061lg", StringComparison.Ordinal), payload)),
            29 => ("null claim", With("\"x\":null")),
            30 => ("large number", With("\"x\":123456789012345678901234567890")),
            31 => ("nested claims", With("\"a\":{\"b\":[1,\"2\",{\"c\":true}]}")),
            32 => ("header is a list", Signed("[]", payload)),
            33 => ("payload is text", Signed(header, "\"text\"")),
            34 => ("byte order mark", Signed("\ufeff" + header, payload)),
            35 => ("comment", Signed(header, "/**/" + payload)),
            _ => ("good", good),
        };
    }

    private static string Changed(Random random, string token)
    {
        var at = random.Next(token.Length);
        return $"{token[..at]}{Alphabet[random.Next(64)]}{token[(at + 1)..]}";
    }

    private static string UnusedBits(string token)
    {
        var signature = token.Length - token.LastIndexOf('.') - 1;
        return signature % 4 == 0 ? token : token[..^1] + Alphabet[Alphabet.IndexOf(token[^1], StringComparison.Ordinal) | 1];
    }

    private static SecurityKey TheirKeyOf(JwsAlgorithm algorithm) =>
        new Microsoft.IdentityModel.Tokens.JsonWebKey(Keys.Of(algorithm).ToJson(includePrivate: true));
}
