using System.Collections.Immutable;
using System.Text.Json;

namespace Portcullis.Jose;

/// <summary>A key of a set that is not used, and why.</summary>
/// <param name="Index">Its place in <c>keys</c>, from 0.</param>
/// <param name="KeyId">Its <c>kid</c>, if it has one.</param>
/// <param name="Reason">What is wrong with it.</param>
public sealed record JwkRejection(int Index, string? KeyId, JwksStatus Reason);

/// <summary>The keys that an issuer signs with (RFC 7517 §5), as far as we use them. Immutable, and safe for concurrent use.</summary>
public sealed class JsonWebKeySet
{
    /// <summary>Longest set that is read, in characters: 1 MiB.</summary>
    public const int MaxLength = 1024 * 1024;

    /// <summary>Keys of a set that are used at most: 2048. Those past it are rejected.</summary>
    public const int MaxKeys = 2048;

    private const string CertificateBegin = "-----BEGIN CERTIFICATE-----\n";
    private const string CertificateEnd = "\n-----END CERTIFICATE-----\n";

    private JsonWebKeySet(JwksStatus status, ImmutableArray<JsonWebKey> keys, ImmutableArray<JwkRejection> rejected)
    {
        Status = status;
        Keys = keys;
        Rejected = rejected;
    }

    /// <summary>The keys to verify with, in the order of the set. What was private in them has been left out.</summary>
    public ImmutableArray<JsonWebKey> Keys { get; }

    /// <summary><see cref="JwksStatus.Ok"/> with at least one key; else what is wrong with the set, or with the first of its keys.</summary>
    public JwksStatus Status { get; }

    /// <summary>True if there is a key to verify with.</summary>
    public bool IsUsable => Status == JwksStatus.Ok;

    /// <summary>The keys that are left out. The others are used all the same.</summary>
    public ImmutableArray<JwkRejection> Rejected { get; }

    /// <summary>
    /// Reads a set: a <c>keys</c> list, or a map of key ids to PEM certificates with RSA keys. No text makes this throw; what cannot be
    /// used has no keys and says why in <see cref="Status"/>.
    /// </summary>
    public static JsonWebKeySet Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        if (json.Length > MaxLength)
        {
            return Unusable(JwksStatus.TooLong);
        }

        if (!StrictJson.TryParseObject(json, out var root))
        {
            return Unusable(JwksStatus.ParseError);
        }

        if (!root.TryGetProperty("keys"u8, out var list))
        {
            return ParseCertificates(root);
        }

        return list.ValueKind == JsonValueKind.Array ? ParseList(list) : Unusable(JwksStatus.BadKeys);
    }

    private static JsonWebKeySet Unusable(JwksStatus status) => new(status, [], []);

    private static JsonWebKeySet ParseList(JsonElement list)
    {
        var keys = ImmutableArray.CreateBuilder<JsonWebKey>();
        var rejected = ImmutableArray.CreateBuilder<JwkRejection>();
        var index = -1;
        foreach (var item in list.EnumerateArray())
        {
            index++;
            if (item.ValueKind != JsonValueKind.Object)
            {
                continue;
            }

            JsonWebKey? key = null;
            var status = keys.Count == MaxKeys ? JwksStatus.TooManyKeys : JwkReader.TryRead(item, forVerifying: true, out key);
            if (key is null)
            {
                rejected.Add(new(index, StrictJson.GetString(item, "kid"u8, out _), status));
            }
            else
            {
                keys.Add(key);
            }
        }

        var result = keys.Count > 0 ? JwksStatus.Ok : rejected.Count > 0 ? rejected[0].Reason : JwksStatus.NoValidKeys;
        return new(result, keys.DrainToImmutable(), rejected.DrainToImmutable());
    }

    private static JsonWebKeySet ParseCertificates(JsonElement root)
    {
        foreach (var member in root.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.String || !IsCertificate(member.Value.GetString()!))
            {
                return Unusable(JwksStatus.NoKeys);
            }
        }

        var keys = ImmutableArray.CreateBuilder<JsonWebKey>();
        foreach (var member in root.EnumerateObject())
        {
            if (keys.Count == MaxKeys)
            {
                return Unusable(JwksStatus.TooManyKeys);
            }

            var status = PemReader.TryReadRsaCertificate(member.Value.GetString()!, out var key);
            if (key is null)
            {
                return new(status, [], [new(keys.Count, member.Name, status)]);
            }

            keys.Add(new(key) { KeyId = member.Name });
        }

        return keys.Count > 0 ? new(JwksStatus.Ok, keys.DrainToImmutable(), []) : Unusable(JwksStatus.NoKeys);
    }

    private static bool IsCertificate(string text) =>
        text.Length > CertificateBegin.Length + CertificateEnd.Length
            && text.StartsWith(CertificateBegin, StringComparison.Ordinal) && text.EndsWith(CertificateEnd, StringComparison.Ordinal);
}
