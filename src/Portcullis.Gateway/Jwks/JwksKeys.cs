using Portcullis.Jose;

namespace Portcullis.Gateway.Jwks;

/// <summary>Compares key sets by what they verify, not by their text: the order of keys, spaces and members that we do not use make no difference.</summary>
internal static class JwksKeys
{
    public static bool AreSame(JsonWebKeySet? a, JsonWebKeySet b) =>
        a is not null && (ReferenceEquals(a, b) || (a.Keys.Length == b.Keys.Length && Identities(a).SequenceEqual(Identities(b))));

    /// <summary>Key ids in the order of the set, one each; <c>(none)</c> for a key without.</summary>
    public static IReadOnlyList<string> Ids(JsonWebKeySet? keys) => keys is null ? [] : [.. keys.Keys.Select(k => Shorten(k.KeyId ?? "(none)"))];

    private static List<(string, string, string)> Identities(JsonWebKeySet set)
    {
        var identities = new List<(string, string, string)>(set.Keys.Length);
        foreach (var key in set.Keys)
        {
            identities.Add((key.KeyId ?? "", key.Algorithm ?? "", key.Thumbprint()));
        }

        identities.Sort();
        return identities;
    }

    /// <summary>A kid is whatever its server likes; a log line and a page are not.</summary>
    private static string Shorten(string keyId)
    {
        var text = keyId.Length <= 128 ? keyId : keyId[..128] + "…";
        return text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c)) : text;
    }
}
