using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;

namespace Portcullis.Jose;

/// <summary>An RSA key (RFC 7518 §6.3) of 2048 to 8192 bits with the exponent 3 or 65537.</summary>
internal sealed class RsaKey : KeyMaterial
{
    public const int MinBits = 2048;
    public const int MaxBits = 8192;

    private readonly RSAParameters _parameters;
    private readonly RSA _rsa;

    private RsaKey(RSAParameters parameters, RSA rsa) => (_parameters, _rsa) = (parameters, rsa);

    public override JwkKeyType KeyType => JwkKeyType.Rsa;

    public override string KeyTypeName => "RSA";

    public override JwsAlgorithm DefaultAlgorithm => JwsAlgorithm.RS256;

    public override bool HasPrivateKey => _parameters.D is not null;

    public static JwksStatus TryCreate(RSAParameters parameters, out RsaKey? key)
    {
        key = null;
        parameters.Modulus = Trim(parameters.Modulus);
        parameters.Exponent = Trim(parameters.Exponent);
        var modulus = parameters.Modulus;
        if (modulus.Length == 0 || (modulus[^1] & 1) == 0 || parameters.Exponent is not ([3] or [1, 0, 1]))
        {
            return JwksStatus.RsaParseError;
        }

        var bits = (modulus.Length * 8) - BitOperations.LeadingZeroCount((uint)modulus[0]) + 24;
        if (bits is < MinBits or > MaxBits)
        {
            return bits < MinBits ? JwksStatus.RsaTooSmall : JwksStatus.RsaTooLarge;
        }

        if (RocaFingerprint.IsOn(modulus))
        {
            return JwksStatus.RsaFactorable;
        }

        if (parameters.D is not null && !TryFitPrivate(ref parameters))
        {
            return JwksStatus.PrivateKeyBad;
        }

        var rsa = RSA.Create();
        try
        {
            rsa.ImportParameters(parameters);
            if (parameters.D is not null && !SignsForItself(rsa, parameters))
            {
                rsa.Dispose();
                return JwksStatus.PrivateKeyBad;
            }
        }
        catch (CryptographicException)
        {
            rsa.Dispose();
            return parameters.D is null ? JwksStatus.RsaParseError : JwksStatus.PrivateKeyBad;
        }

        key = new(parameters, rsa);
        return JwksStatus.Ok;
    }

    public static RsaKey Generate(int bits)
    {
        using var rsa = RSA.Create(bits);
        var status = TryCreate(rsa.ExportParameters(includePrivateParameters: true), out var key);
        return key ?? throw new CryptographicException(status.Message);
    }

    public override bool Supports(JwsAlgorithm algorithm) => algorithm.IsRsa;

    public override bool Verify(JwsAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> signature) =>
        signature.Length == _parameters.Modulus!.Length && _rsa.VerifyHash(digest, signature, algorithm.Hash, Padding(algorithm));

    public override byte[] Sign(JwsAlgorithm algorithm, ReadOnlySpan<byte> data) => _rsa.SignData(data, algorithm.Hash, Padding(algorithm));

    public override void WriteRequiredMembers(Utf8JsonWriter json)
    {
        json.WriteString("e"u8, StrictBase64Url.Encode(_parameters.Exponent));
        json.WriteString("kty"u8, KeyTypeName);
        json.WriteString("n"u8, StrictBase64Url.Encode(_parameters.Modulus));
    }

    public override void WritePrivateMembers(Utf8JsonWriter json)
    {
        json.WriteString("d"u8, StrictBase64Url.Encode(_parameters.D));
        json.WriteString("p"u8, StrictBase64Url.Encode(_parameters.P));
        json.WriteString("q"u8, StrictBase64Url.Encode(_parameters.Q));
        json.WriteString("dp"u8, StrictBase64Url.Encode(_parameters.DP));
        json.WriteString("dq"u8, StrictBase64Url.Encode(_parameters.DQ));
        json.WriteString("qi"u8, StrictBase64Url.Encode(_parameters.InverseQ));
    }

    public override KeyMaterial? ToPublic()
    {
        TryCreate(new RSAParameters { Modulus = _parameters.Modulus, Exponent = _parameters.Exponent }, out var key);
        return key;
    }

    public override string ToPem(bool includePrivate) => includePrivate ? _rsa.ExportPkcs8PrivateKeyPem() : _rsa.ExportSubjectPublicKeyInfoPem();

    private static RSASignaturePadding Padding(JwsAlgorithm algorithm) => algorithm.IsPss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1;

    [return: NotNull]
    private static byte[] Trim(byte[]? number) => number is null ? [] : number.AsSpan().TrimStart((byte)0).ToArray();

    /// <summary>Brings the private numbers to the lengths that the platform wants; false if one is missing or too long.</summary>
    private static bool TryFitPrivate(ref RSAParameters parameters)
    {
        var length = parameters.Modulus!.Length;
        var half = (length + 1) / 2;
        return TryFit(ref parameters.D, length) && TryFit(ref parameters.P, half) && TryFit(ref parameters.Q, half)
            && TryFit(ref parameters.DP, half) && TryFit(ref parameters.DQ, half) && TryFit(ref parameters.InverseQ, half);
    }

    private static bool TryFit(ref byte[]? number, int length)
    {
        var trimmed = Trim(number);
        if (trimmed.Length == 0 || trimmed.Length > length)
        {
            return false;
        }

        number = new byte[length];
        trimmed.CopyTo(number, length - trimmed.Length);
        return true;
    }

    /// <summary>A private half of another key would make signatures that nobody verifies, and may give the key away.</summary>
    private static bool SignsForItself(RSA rsa, RSAParameters parameters)
    {
        using var publicHalf = RSA.Create(new RSAParameters { Modulus = parameters.Modulus, Exponent = parameters.Exponent });
        var digest = new byte[SHA256.HashSizeInBytes];
        return publicHalf.VerifyHash(
            digest, rsa.SignHash(digest, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }
}
