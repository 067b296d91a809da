using System.Text;
using Portcullis.Jose;

namespace Portcullis.Fuzz;

/// <summary>A key in PEM, as an operator hands it to the command line.</summary>
public sealed class PemTarget(SignedTokens tokens) : FuzzTarget
{
    public override string Name => "pem";

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        .. tokens.Issuers.DistinctBy(i => i.Key.KeyId).SelectMany(i => new[] { i.Key.ToPem(), i.Key.ToPem(includePrivate: true) })
            .OfType<string>().Select(Encoding.ASCII.GetBytes),
    ];

    public override byte[] Mutate(Mutator mutator, byte[] input) => mutator.Pem(input);

    public override string Run(byte[] input)
    {
        if (!JsonWebKey.TryFromPem(Encoding.Latin1.GetString(input), out var key, out var error))
        {
            return error is { Length: > 0 } ? error[..Math.Min(error.Length, 40)] : throw new FuzzViolationException("refused without a reason");
        }

        KeyChecks.Check(key!);
        KeyChecks.VerifiesNoOutsider(tokens, JsonWebKeySet.Parse($"{{\"keys\":[{key!.ToJson(includePrivate: true)}]}}"));
        return $"{key.KeyType} {key.HasPrivateKey}";
    }
}

/// <summary>What holds for every key that was read, wherever it came from.</summary>
internal static class KeyChecks
{
    public static void Check(JsonWebKey key)
    {
        _ = (key.ToString(), key.DefaultAlgorithm, key.ToPem());
        var json = key.ToJson(includePrivate: true);
        if (JsonWebKey.TryParse(json, out var again) != JwksStatus.Ok || again!.Thumbprint() != key.Thumbprint())
        {
            throw new FuzzViolationException("a key that was read and written cannot be read again as the same key");
        }

        if (key.ToPublic() is { HasPrivateKey: true })
        {
            throw new FuzzViolationException("the public half has a private key");
        }
    }

    public static void VerifiesNoOutsider(SignedTokens tokens, JsonWebKeySet set)
    {
        if (CompactJws.Verify(tokens.OutsiderToken, set).IsValid)
        {
            throw new FuzzViolationException("a set verified a token of a key that was never in it");
        }
    }
}
