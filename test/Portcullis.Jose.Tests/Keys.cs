using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Text;

namespace Portcullis.Jose.Tests;

/// <summary>One key per algorithm for all tests (RSA takes long to make), and tokens whose every byte a test decides.</summary>
internal static class Keys
{
    private static readonly ConcurrentDictionary<JwsAlgorithm, JsonWebKey> Made = new();

    public static JsonWebKey Of(JwsAlgorithm algorithm) => Made.GetOrAdd(algorithm, a => JsonWebKey.Generate(a, $"key-{a.Name}"));

    public static JsonWebKeySet SetOf(params IEnumerable<JsonWebKey> keys) =>
        JsonWebKeySet.Parse($"{{\"keys\":[{string.Join(',', keys.Select(k => k.ToJson(includePrivate: true)))}]}}");

    public static string Sign(string header, string payload, JwsAlgorithm algorithm = JwsAlgorithm.HS256) =>
        Sign(Encoding.UTF8.GetBytes(header), Encoding.UTF8.GetBytes(payload), algorithm);

    public static string Sign(byte[] header, byte[] payload, JwsAlgorithm algorithm = JwsAlgorithm.HS256) =>
        JwtSigner.SignCompact(header, payload, Of(algorithm), algorithm);

    public static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    /// <summary>Everything the gateway does with a token, save the rule's own checks.</summary>
    public static JwtStatus Check(string token, JsonWebKeySet keys)
    {
        var status = JsonWebToken.TryParse(token, out var jwt);
        return status == JwtStatus.Ok ? jwt!.VerifySignature(keys) : status;
    }
}
