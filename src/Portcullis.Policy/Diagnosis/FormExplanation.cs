using System.Buffers.Text;
using System.Text.Json;
using Portcullis.Jose;

namespace Portcullis.Policy.Diagnosis;

/// <summary>Why a token cannot be read, and what helps (authentication.md §7, checks 1–13).</summary>
internal static class FormExplanation
{
    public static TokenFinding Explain(JwtStatus status, string token)
    {
        var dots = token.AsSpan().Count('.');
        return status switch
        {
            JwtStatus.BadFormat when token.Length > JsonWebToken.MaxLength =>
                new($"the token has {token.Length} characters, {JsonWebToken.MaxLength} are the most", "have the issuer put less into it"),
            JwtStatus.BadFormat when dots == 4 => new("five parts: this is an encrypted token (JWE), and only signed ones can be verified", "have the issuer sign without encrypting"),
            JwtStatus.BadFormat when dots == 2 => new("one of the three parts is empty", "an unsigned token is never accepted; send a signed one"),
            JwtStatus.BadFormat => new($"{dots} {(dots == 1 ? "dot" : "dots")} in it, a token has 2", "look at what the client sends after `Bearer `: an opaque token, a cut one, or quotes around it are no JWT"),
            JwtStatus.HeaderUnsupportedAlgorithm => new(
                $"`alg` is {Wording.Quote(AlgorithmOf(token))}; supported are {string.Join(", ", JwsAlgorithms.All.Select(a => a.Name))}",
                "have the issuer sign with one of these; `none` is never accepted"),
            JwtStatus.HeaderBadBase64 or JwtStatus.PayloadBadBase64 or JwtStatus.SignatureBadBase64 => new(
                "that part is not base64url without padding (RFC 7515 §2)",
                token.AsSpan().ContainsAny("=+/") ? "the token was made with plain base64: use `-` for `+`, `_` for `/`, and no `=`" : "the token was cut or changed on its way: look for quotes, blanks, line ends"),
            JwtStatus.HeaderBadJson or JwtStatus.PayloadBadJson => new(
                "that part is not one JSON object with every name once (RFC 7515 §4, RFC 7519 §4)", "the token was cut or changed on its way, or its issuer writes a name twice"),
            JwtStatus.HeaderBadAlgorithm => new("the header has no `alg`, or it is no string", "this token was not made by a JWT library; get a real one"),
            _ => new("the claim has a type that RFC 7519 §4.1 does not allow", "have the issuer write it as the RFC says: times as numbers, names as strings"),
        };
    }

    private static string? AlgorithmOf(string token)
    {
        try
        {
            var header = JsonElement.Parse(Base64Url.DecodeFromChars(token.AsSpan(0, token.IndexOf('.', StringComparison.Ordinal))));
            return header.GetProperty("alg").GetString();
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }
}
