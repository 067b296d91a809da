using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Portcullis.Jose;

/// <summary>Keys out of PEM (RFC 7468). The first block that can hold a key counts; parameters in front of it are skipped.</summary>
internal static class PemReader
{
    private const string RsaOid = "1.2.840.113549.1.1.1";
    private const string EcOid = "1.2.840.10045.2.1";

    /// <summary>Reads a key; null on success, else what is wrong.</summary>
    public static string? TryRead(string pem, out KeyMaterial? material)
    {
        material = null;
        if (pem.Length > JsonWebKeySet.MaxLength)
        {
            return $"the PEM text is longer than {JsonWebKeySet.MaxLength} characters";
        }

        ReadOnlySpan<char> rest = pem;
        while (PemEncoding.TryFind(rest, out var fields))
        {
            var label = rest[fields.Label].ToString();
            if (label.EndsWith("ENCRYPTED PRIVATE KEY", StringComparison.Ordinal) || rest[fields.Location].Contains("Proc-Type:", StringComparison.Ordinal))
            {
                return "the private key is encrypted: decrypt it first with `openssl pkey -in FILE -out PLAIN`";
            }

            if (label is "PUBLIC KEY" or "PRIVATE KEY" or "RSA PUBLIC KEY" or "RSA PRIVATE KEY" or "EC PRIVATE KEY" or "CERTIFICATE")
            {
                var der = new byte[fields.DecodedDataLength];
                return Convert.TryFromBase64Chars(rest[fields.Base64Data], der, out var written) && written == der.Length
                    ? TryReadBlock(label, der, out material)
                    : "PEM pubkey parse fails";
            }

            rest = rest[fields.Location.End..];
        }

        return "no PEM block with a key or certificate found: it begins with a line such as `-----BEGIN PUBLIC KEY-----`";
    }

    /// <summary>The RSA key of a certificate, as the kid → certificate map of a key set wants it.</summary>
    public static JwksStatus TryReadRsaCertificate(string pem, out RsaKey? key)
    {
        key = null;
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(pem);
            using var rsa = certificate.GetRSAPublicKey();
            return rsa is null ? JwksStatus.CertificateKeyError : RsaKey.TryCreate(rsa.ExportParameters(includePrivateParameters: false), out key);
        }
        catch (CryptographicException)
        {
            return JwksStatus.CertificateParseError;
        }
    }

    private static string? TryReadBlock(string label, byte[] der, out KeyMaterial? material)
    {
        material = null;
        try
        {
            return label switch
            {
                "RSA PUBLIC KEY" => FromRsa(rsa => rsa.ImportRSAPublicKey(der, out _), isPrivate: false, out material),
                "RSA PRIVATE KEY" => FromRsa(rsa => rsa.ImportRSAPrivateKey(der, out _), isPrivate: true, out material),
                "EC PRIVATE KEY" => FromEc(ec => ec.ImportECPrivateKey(der, out _), isPrivate: true, out material),
                "PRIVATE KEY" => FromPkcs8(der, out material),
                "CERTIFICATE" => FromCertificate(der, out material),
                _ => FromSpki(der, out material),
            };
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            material = null;
            return label == "CERTIFICATE" ? "X509 parse pubkey fails" : "PEM pubkey parse fails";
        }
    }

    private static string? FromCertificate(byte[] der, out KeyMaterial? material)
    {
        using var certificate = X509CertificateLoader.LoadCertificate(der);
        return FromSpki(certificate.PublicKey.ExportSubjectPublicKeyInfo(), out material);
    }

    private static string? FromSpki(byte[] der, out KeyMaterial? material)
    {
        var spki = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        var oid = spki.ReadSequence().ReadObjectIdentifier();
        if (oid != Ed25519Key.Oid)
        {
            return oid switch
            {
                RsaOid => FromRsa(rsa => rsa.ImportSubjectPublicKeyInfo(der, out _), isPrivate: false, out material),
                EcOid => FromEc(ec => ec.ImportSubjectPublicKeyInfo(der, out _), isPrivate: false, out material),
                _ => Unsupported(out material),
            };
        }

        var status = Ed25519Key.TryCreate(spki.ReadBitString(out _), seed: null, out var key);
        material = key;
        return key is null ? status.Message : null;
    }

    private static string? FromPkcs8(byte[] der, out KeyMaterial? material)
    {
        var pkcs8 = new AsnReader(der, AsnEncodingRules.BER).ReadSequence();
        pkcs8.ReadInteger();
        var oid = pkcs8.ReadSequence().ReadObjectIdentifier();
        if (oid != Ed25519Key.Oid)
        {
            return oid switch
            {
                RsaOid => FromRsa(rsa => rsa.ImportPkcs8PrivateKey(der, out _), isPrivate: true, out material),
                EcOid => FromEc(ec => ec.ImportPkcs8PrivateKey(der, out _), isPrivate: true, out material),
                _ => Unsupported(out material),
            };
        }

        var seed = new AsnReader(pkcs8.ReadOctetString(), AsnEncodingRules.BER).ReadOctetString();
        material = Ed25519Key.FromSeed(seed);
        return material is null ? "PEM failed to get raw ED25519 key" : null;
    }

    private static string? FromRsa(Action<RSA> import, bool isPrivate, out KeyMaterial? material)
    {
        using var rsa = RSA.Create();
        import(rsa);
        var status = RsaKey.TryCreate(rsa.ExportParameters(isPrivate), out var key);
        material = key;
        return key is null ? status.Message : null;
    }

    private static string? FromEc(Action<ECDsa> import, bool isPrivate, out KeyMaterial? material)
    {
        using var ecdsa = ECDsa.Create();
        try
        {
            import(ecdsa);
        }
        catch (PlatformNotSupportedException)
        {
            // A curve that the platform's library does not know: which it knows depends on the platform, so the answer must not.
            material = null;
            return JwksStatus.ECCurveUnsupported.Message;
        }

        var parameters = ecdsa.ExportParameters(isPrivate);
        if (EcKey.FindCurve(parameters.Curve) is not { } curve)
        {
            material = null;
            return JwksStatus.ECCurveUnsupported.Message;
        }

        var status = EcKey.TryCreate(curve, parameters.Q.X!, parameters.Q.Y!, parameters.D, out var key);
        material = key;
        return key is null ? status.Message : null;
    }

    private static string Unsupported(out KeyMaterial? material)
    {
        material = null;
        return "PEM Key type is not supported";
    }
}
