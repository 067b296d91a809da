using System.Security.Cryptography;
using System.Text.Json;

namespace Portcullis.Jose;

/// <summary>A key on P-256, P-384 or P-521 (RFC 7518 §6.2). Its curve decides its one algorithm.</summary>
internal sealed class EcKey : KeyMaterial
{
    private static readonly Curve[] Curves =
    [
        new("P-256", JwsAlgorithm.ES256, ECCurve.NamedCurves.nistP256, "1.2.840.10045.3.1.7", 32),
        new("P-384", JwsAlgorithm.ES384, ECCurve.NamedCurves.nistP384, "1.3.132.0.34", 48),
        new("P-521", JwsAlgorithm.ES512, ECCurve.NamedCurves.nistP521, "1.3.132.0.35", 66),
    ];

    private readonly Curve _curve;
    private readonly ECParameters _parameters;
    private readonly ECDsa _ecdsa;

    private EcKey(Curve curve, ECParameters parameters, ECDsa ecdsa) => (_curve, _parameters, _ecdsa) = (curve, parameters, ecdsa);

    public override JwkKeyType KeyType => JwkKeyType.EC;

    public override string KeyTypeName => "EC";

    public override JwsAlgorithm DefaultAlgorithm => _curve.Algorithm;

    public override bool HasPrivateKey => _parameters.D is not null;

    /// <summary>The curve that <c>crv</c> and <c>alg</c> name together; neither means P-256, as in Envoy.</summary>
    public static JwksStatus TryFindCurve(string? name, string? algorithm, out Curve? curve)
    {
        var byName = Array.Find(Curves, c => c.Name == name);
        var byAlgorithm = Array.Find(Curves, c => c.Algorithm.Name == algorithm);
        curve = byName ?? (name is null ? byAlgorithm ?? (algorithm is null ? Curves[0] : null) : null);
        if (byAlgorithm is not null && name is not null && byName != byAlgorithm)
        {
            return JwksStatus.ECCurveNotOfAlgorithm;
        }

        return curve is null ? JwksStatus.ECCurveUnsupported : JwksStatus.Ok;
    }

    /// <summary>Only curves by name: explicit parameters let a forger choose the base point (CVE-2020-0601).</summary>
    public static Curve? FindCurve(ECCurve curve) =>
        curve.IsNamed ? Array.Find(Curves, c => c.Oid == curve.Oid.Value || c.Named.Oid.FriendlyName == curve.Oid.FriendlyName) : null;

    public static JwksStatus TryCreate(Curve curve, byte[] x, byte[] y, byte[]? d, out EcKey? key)
    {
        key = null;
        if (!TryFit(ref x, curve.CoordinateLength) || !TryFit(ref y, curve.CoordinateLength))
        {
            return JwksStatus.ECParseError;
        }

        if (d is not null && !TryFit(ref d, curve.CoordinateLength))
        {
            return JwksStatus.PrivateKeyBad;
        }

        var parameters = new ECParameters { Curve = curve.Named, Q = new ECPoint { X = x, Y = y }, D = d };
        var ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportParameters(parameters);
            if (d is not null && !SignsForItself(ecdsa, parameters))
            {
                ecdsa.Dispose();
                return JwksStatus.PrivateKeyBad;
            }
        }
        catch (CryptographicException)
        {
            ecdsa.Dispose();
            return d is null ? JwksStatus.ECParseError : JwksStatus.PrivateKeyBad;
        }

        key = new(curve, parameters, ecdsa);
        return JwksStatus.Ok;
    }

    public static EcKey Generate(JwsAlgorithm algorithm)
    {
        var curve = Array.Find(Curves, c => c.Algorithm == algorithm)!;
        using var ecdsa = ECDsa.Create(curve.Named);
        var parameters = ecdsa.ExportParameters(includePrivateParameters: true);
        var status = TryCreate(curve, parameters.Q.X!, parameters.Q.Y!, parameters.D, out var key);
        return key ?? throw new CryptographicException(status.Message);
    }

    public override bool Supports(JwsAlgorithm algorithm) => algorithm == _curve.Algorithm;

    public override bool Verify(JwsAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> signature) =>
        signature.Length == 2 * _curve.CoordinateLength && _ecdsa.VerifyHash(digest, signature);

    public override byte[] Sign(JwsAlgorithm algorithm, ReadOnlySpan<byte> data) =>
        _ecdsa.SignData(data, algorithm.Hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    public override void WriteRequiredMembers(Utf8JsonWriter json)
    {
        json.WriteString("crv"u8, _curve.Name);
        json.WriteString("kty"u8, KeyTypeName);
        json.WriteString("x"u8, StrictBase64Url.Encode(_parameters.Q.X));
        json.WriteString("y"u8, StrictBase64Url.Encode(_parameters.Q.Y));
    }

    public override void WritePrivateMembers(Utf8JsonWriter json) => json.WriteString("d"u8, StrictBase64Url.Encode(_parameters.D));

    public override KeyMaterial? ToPublic()
    {
        TryCreate(_curve, _parameters.Q.X!, _parameters.Q.Y!, d: null, out var key);
        return key;
    }

    public override string ToPem(bool includePrivate) => includePrivate ? _ecdsa.ExportPkcs8PrivateKeyPem() : _ecdsa.ExportSubjectPublicKeyInfoPem();

    /// <summary>Some libraries strip leading zeros against RFC 7518 §6.2.1.2; Envoy reads those, and so do we.</summary>
    private static bool TryFit(ref byte[] number, int length)
    {
        if (number.Length == 0 || number.Length > length)
        {
            return false;
        }

        var fitted = new byte[length];
        number.CopyTo(fitted, length - number.Length);
        number = fitted;
        return true;
    }

    private static bool SignsForItself(ECDsa ecdsa, ECParameters parameters)
    {
        using var publicHalf = ECDsa.Create(new ECParameters { Curve = parameters.Curve, Q = parameters.Q });
        var digest = new byte[SHA256.HashSizeInBytes];
        return publicHalf.VerifyHash(digest, ecdsa.SignHash(digest));
    }

    /// <summary>One of the three curves that JWS has an algorithm for.</summary>
    internal sealed record Curve(string Name, JwsAlgorithm Algorithm, ECCurve Named, string Oid, int CoordinateLength);
}
