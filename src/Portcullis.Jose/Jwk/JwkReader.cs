using System.Security.Cryptography;
using System.Text.Json;

namespace Portcullis.Jose;

/// <summary>One JWK as Envoy reads it, check by check in its order, and then by what RFC 7517 §4.2 and §4.3 let a key be used for.</summary>
internal static class JwkReader
{
    /// <summary>Reads the members of a JWK.</summary>
    /// <param name="jwk">An object.</param>
    /// <param name="forVerifying">
    /// True for a member of a key set: what is private is left out, and a key that is not meant for verifying is refused.
    /// </param>
    /// <param name="key">The key; null unless the result is <see cref="JwksStatus.Ok"/>.</param>
    public static JwksStatus TryRead(JsonElement jwk, bool forVerifying, out JsonWebKey? key)
    {
        key = null;
        var keyType = StrictJson.GetString(jwk, "kty"u8, out var isString);
        if (keyType is null)
        {
            return isString ? JwksStatus.KeyTypeMissing : JwksStatus.KeyTypeBad;
        }

        var algorithm = StrictJson.GetString(jwk, "alg"u8, out _) is { Length: > 0 } name ? name : null;
        KeyMaterial? material;
        var status = keyType switch
        {
            "RSA" => ReadRsa(jwk, algorithm, !forVerifying, out material),
            "EC" => ReadEc(jwk, algorithm, !forVerifying, out material),
            "oct" => ReadOct(jwk, algorithm, out material),
            "OKP" => ReadOkp(jwk, algorithm, !forVerifying, out material),
            _ => Unsupported(out material),
        };
        if (material is null)
        {
            return status;
        }

        if (forVerifying)
        {
            if (jwk.TryGetProperty("use"u8, out var use) && !(use.ValueKind == JsonValueKind.String && use.ValueEquals("sig"u8)))
            {
                return JwksStatus.UseNotSignature;
            }

            if (jwk.TryGetProperty("key_ops"u8, out var operations) && !Contains(operations, "verify"u8))
            {
                return JwksStatus.OperationsWithoutVerify;
            }
        }

        key = new(material)
        {
            KeyId = StrictJson.GetString(jwk, "kid"u8, out _),
            Algorithm = algorithm,
            Use = StrictJson.GetString(jwk, "use"u8, out _),
            KeyOperations = ReadOperations(jwk),
        };
        return JwksStatus.Ok;
    }

    private static JwksStatus Unsupported(out KeyMaterial? material)
    {
        material = null;
        return JwksStatus.KeyTypeUnsupported;
    }

    private static JwksStatus ReadRsa(JsonElement jwk, string? algorithm, bool withPrivate, out KeyMaterial? material)
    {
        material = null;
        if (algorithm is not null && !algorithm.StartsWith("RS", StringComparison.Ordinal) && !algorithm.StartsWith("PS", StringComparison.Ordinal))
        {
            return JwksStatus.RsaBadAlgorithm;
        }

        var n = StrictJson.GetString(jwk, "n"u8, out var isString);
        if (n is null)
        {
            return isString ? JwksStatus.RsaModulusMissing : JwksStatus.RsaModulusBad;
        }

        var e = StrictJson.GetString(jwk, "e"u8, out isString);
        if (e is null)
        {
            return isString ? JwksStatus.RsaExponentMissing : JwksStatus.RsaExponentBad;
        }

        var parameters = new RSAParameters { Modulus = StrictBase64Url.Decode(n), Exponent = StrictBase64Url.Decode(e) };
        if (withPrivate && jwk.TryGetProperty("d"u8, out _))
        {
            // Keys of more than two primes (`oth`) have no place in the platform's parameters.
            if (jwk.TryGetProperty("oth"u8, out _))
            {
                return JwksStatus.PrivateKeyBad;
            }

            parameters.D = Octets(jwk, "d"u8) ?? [];
            parameters.P = Octets(jwk, "p"u8);
            parameters.Q = Octets(jwk, "q"u8);
            parameters.DP = Octets(jwk, "dp"u8);
            parameters.DQ = Octets(jwk, "dq"u8);
            parameters.InverseQ = Octets(jwk, "qi"u8);
        }

        var status = RsaKey.TryCreate(parameters, out var key);
        material = key;
        return status;
    }

    private static JwksStatus ReadEc(JsonElement jwk, string? algorithm, bool withPrivate, out KeyMaterial? material)
    {
        material = null;
        if (algorithm is not null && !algorithm.StartsWith("ES", StringComparison.Ordinal))
        {
            return JwksStatus.ECBadAlgorithm;
        }

        var curveName = StrictJson.GetString(jwk, "crv"u8, out var isString);
        if (!isString)
        {
            return JwksStatus.ECCurveBad;
        }

        var status = EcKey.TryFindCurve(curveName, algorithm, out var curve);
        if (status != JwksStatus.Ok)
        {
            return status;
        }

        var x = StrictJson.GetString(jwk, "x"u8, out isString);
        if (x is null)
        {
            return isString ? JwksStatus.ECXMissing : JwksStatus.ECXBad;
        }

        var y = StrictJson.GetString(jwk, "y"u8, out isString);
        if (y is null)
        {
            return isString ? JwksStatus.ECYMissing : JwksStatus.ECYBad;
        }

        if (StrictBase64Url.Decode(x) is not { } xOctets || StrictBase64Url.Decode(y) is not { } yOctets)
        {
            return JwksStatus.ECBadBase64;
        }

        var d = withPrivate && jwk.TryGetProperty("d"u8, out _) ? Octets(jwk, "d"u8) ?? [] : null;
        status = EcKey.TryCreate(curve!, xOctets, yOctets, d, out var key);
        material = key;
        return status;
    }

    private static JwksStatus ReadOct(JsonElement jwk, string? algorithm, out KeyMaterial? material)
    {
        material = null;
        if (algorithm is not (null or "HS256" or "HS384" or "HS512"))
        {
            return JwksStatus.OctBadAlgorithm;
        }

        var k = StrictJson.GetString(jwk, "k"u8, out var isString);
        if (k is null)
        {
            return isString ? JwksStatus.OctKeyMissing : JwksStatus.OctKeyBad;
        }

        if (StrictBase64Url.Decode(k) is not { Length: > 0 } secret)
        {
            return JwksStatus.OctBadBase64;
        }

        var status = OctKey.TryCreate(secret, algorithm, out var key);
        material = key;
        return status;
    }

    private static JwksStatus ReadOkp(JsonElement jwk, string? algorithm, bool withPrivate, out KeyMaterial? material)
    {
        material = null;
        if (algorithm is not (null or "EdDSA"))
        {
            return JwksStatus.OkpBadAlgorithm;
        }

        var curve = StrictJson.GetString(jwk, "crv"u8, out var isString);
        if (curve is null)
        {
            return isString ? JwksStatus.OkpCurveMissing : JwksStatus.OkpCurveBad;
        }

        if (curve != "Ed25519")
        {
            return JwksStatus.OkpCurveUnsupported;
        }

        var x = StrictJson.GetString(jwk, "x"u8, out isString);
        if (x is null)
        {
            return isString ? JwksStatus.OkpXMissing : JwksStatus.OkpXBad;
        }

        if (StrictBase64Url.Decode(x) is not { } xOctets)
        {
            return JwksStatus.OkpBadBase64;
        }

        var seed = withPrivate && jwk.TryGetProperty("d"u8, out _) ? Octets(jwk, "d"u8) ?? [] : null;
        var status = Ed25519Key.TryCreate(xOctets, seed, out var key);
        material = key;
        return status;
    }

    private static byte[]? Octets(JsonElement jwk, ReadOnlySpan<byte> name) =>
        StrictJson.GetString(jwk, name, out _) is { } text ? StrictBase64Url.Decode(text) : null;

    private static bool Contains(JsonElement operations, ReadOnlySpan<byte> name)
    {
        if (operations.ValueKind != JsonValueKind.Array)
        {
            return false;
        }

        foreach (var operation in operations.EnumerateArray())
        {
            if (operation.ValueKind == JsonValueKind.String && operation.ValueEquals(name))
            {
                return true;
            }
        }

        return false;
    }

    private static string[]? ReadOperations(JsonElement jwk) =>
        jwk.TryGetProperty("key_ops"u8, out var operations) && operations.ValueKind == JsonValueKind.Array
            ? [.. operations.EnumerateArray().Where(o => o.ValueKind == JsonValueKind.String).Select(o => o.GetString()!)]
            : null;
}
