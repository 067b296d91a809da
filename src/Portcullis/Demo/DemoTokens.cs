using System.Text;
using System.Text.Json.Nodes;
using Portcullis.Jose;

namespace Portcullis.Demo;

/// <summary>The tokens of the guide and of its troubleshooting table.</summary>
internal sealed class DemoTokens
{
    public const string Issuer = "testing@asm.test.io";
    public const string Subject = "demo@asm.test.io";

    private static readonly TimeSpan Life = TimeSpan.FromHours(24);

    private DemoTokens(IReadOnlyList<(string Variable, string Token, string Meaning)> all) => All = all;

    public IReadOnlyList<(string Variable, string Token, string Meaning)> All { get; }

    public static DemoTokens Mint(JsonWebKey key, DateTimeOffset now)
    {
        var other = JsonWebKey.Generate(JwsAlgorithm.RS256, key.KeyId);
        return new DemoTokens(
        [
            ("TOKEN", Sign(key, Issuer, null, now + Life), "issuer only, as the guide's first token"),
            ("TOKEN_SUB", Sign(key, Issuer, Subject, now + Life), $"issuer and subject {Subject}"),
            ("TOKEN_EXPIRED", Sign(key, Issuer, Subject, now - TimeSpan.FromHours(1)), "expired an hour ago"),
            ("TOKEN_ISSUER", Sign(key, "somebody@else.example", Subject, now + Life), "of an issuer that no rule names"),
            ("TOKEN_KEY", Sign(other, Issuer, Subject, now + Life), "signed with another key"),
            ("TOKEN_EARLY", Sign(key, Issuer, Subject, now + Life, now + TimeSpan.FromHours(1)), "not valid before an hour from now"),
        ]);
    }

    /// <summary>Shell assignments.</summary>
    public string ToShell()
    {
        var text = new StringBuilder("# Tokens of `portcullis demo`, minted anew at each start; load them with `. FILE`.\n");
        foreach (var (variable, token, meaning) in All)
        {
            text.Append("# ").Append(meaning).Append('\n').Append(variable).Append('=').Append(token).Append('\n');
        }

        return text.ToString();
    }

    private static string Sign(JsonWebKey key, string issuer, string? subject, DateTimeOffset expires, DateTimeOffset? notBefore = null)
    {
        var claims = new JsonObject { ["iss"] = issuer, ["exp"] = expires.ToUnixTimeSeconds() };
        if (subject is not null)
        {
            claims["sub"] = subject;
        }

        if (notBefore is { } early)
        {
            claims["nbf"] = early.ToUnixTimeSeconds();
        }

        return JwtSigner.Sign(claims.ToJsonString(), key);
    }
}
