using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Portcullis.FunctionalTests.Support;

/// <summary>A certificate authority that lives as long as a test.</summary>
internal sealed class TestAuthority : IDisposable
{
    private static readonly DateTimeOffset Start = TimeProvider.System.GetUtcNow().AddHours(-1);

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public TestAuthority(string name = "Test CA")
    {
        var request = new CertificateRequest($"CN={name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        Certificate = request.CreateSelfSigned(Start, Start.AddYears(1));
    }

    public X509Certificate2 Certificate { get; }

    public string Pem => Certificate.ExportCertificatePem();

    /// <summary>A certificate for DNS names and URIs (those with <c>://</c>), for servers and clients alike.</summary>
    public X509Certificate2 Issue(string subject, bool isRsa, params ReadOnlySpan<string> names)
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        var request = isRsa
            ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject, ecdsa, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (name.Contains("://", StringComparison.Ordinal))
            {
                alternatives.AddUri(new Uri(name));
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        var generator = X509SignatureGenerator.CreateForECDsa(_key);
        using var certificate = request.Create(Certificate.SubjectName, generator, Start, Start.AddDays(30), RandomNumberGenerator.GetBytes(16));
        using var withKey = isRsa ? certificate.CopyWithPrivateKey(rsa) : certificate.CopyWithPrivateKey(ecdsa);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }

    public X509Certificate2 Issue(params ReadOnlySpan<string> names) => Issue("CN=leaf,O=Portcullis", isRsa: false, names);

    /// <summary>The authority's revocation list in PEM.</summary>
    public string Revoke(params ReadOnlySpan<X509Certificate2> certificates)
    {
        var list = new CertificateRevocationListBuilder();
        foreach (var certificate in certificates)
        {
            list.AddEntry(certificate);
        }

        var der = list.Build(Certificate, BigNumber, Start.AddDays(1), HashAlgorithmName.SHA256);
        return new string(PemEncoding.Write("X509 CRL", der));
    }

    /// <summary>A Secret in the gateway's namespace.</summary>
    public static string Secret(string name, params ReadOnlySpan<(string Key, string Text)> values)
    {
        var text = new StringBuilder($"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: istio-system}}\ndata:\n");
        foreach (var (key, value) in values)
        {
            text.Append($"  {key}: {Convert.ToBase64String(Encoding.ASCII.GetBytes(value))}\n");
        }

        return text.ToString();
    }

    /// <summary>A Secret of type kubernetes.io/tls.</summary>
    public static string Secret(string name, X509Certificate2 certificate) =>
        Secret(name, ("tls.crt", certificate.ExportCertificatePem()), ("tls.key", KeyPem(certificate)));

    public static string KeyPem(X509Certificate2 certificate) =>
        (certificate.GetECDsaPrivateKey() as AsymmetricAlgorithm ?? certificate.GetRSAPrivateKey()!).ExportPkcs8PrivateKeyPem();

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }

    private static System.Numerics.BigInteger BigNumber => System.Numerics.BigInteger.One;
}
