using System.Text;
using Portcullis.Jose;

namespace Portcullis.Fuzz;

/// <summary>A key set as a key server sends it.</summary>
public sealed class KeySetTarget(SignedTokens tokens) : FuzzTarget
{
    public override string Name => "jwks";

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        Encoding.UTF8.GetBytes(tokens.KeySetJson),
        .. tokens.Issuers.DistinctBy(i => i.Key.KeyId).Select(i => Encoding.UTF8.GetBytes(i.JwksJson)),
        .. tokens.Issuers.DistinctBy(i => i.Key.KeyId).Select(i => Encoding.UTF8.GetBytes(i.Key.ToJson(includePrivate: true))),
        """{"k1":"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"}"""u8.ToArray(),
        """{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","alg":"RS256","use":"sig","key_ops":["verify"],"x5c":["AA=="],"kid":"a"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},{"kty":"x"},1]}"""u8.ToArray(),
    ];

    public override byte[] Mutate(Mutator mutator, byte[] input) => mutator.Json(input);

    public override string Run(byte[] input)
    {
        // Bytes that are no UTF-8 become half a surrogate pair, which no text of a network has but a caller's string may.
        var text = Encoding.UTF8.GetString(input).Replace('\uFFFD', '\uD800');
        var set = JsonWebKeySet.Parse(text);
        var single = JsonWebKey.TryParse(text, out var key);
        if (set.IsUsable != set.Keys.Length > 0)
        {
            throw new FuzzViolationException($"{set.Keys.Length} keys, and the status is {set.Status}");
        }

        foreach (var one in set.Keys)
        {
            KeyChecks.Check(one);
        }

        if (key is not null)
        {
            KeyChecks.Check(key);
        }

        KeyChecks.VerifiesNoOutsider(tokens, set);
        return $"{set.Status} {set.Status.Message.Length} keys:{Math.Min(set.Keys.Length, 3)} {string.Join(',', set.Rejected.Select(r => r.Reason).Distinct().Take(4))} {single} {key?.KeyType}{key?.HasPrivateKey}";
    }
}
