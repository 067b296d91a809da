using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Portcullis.Gateway.Jwks;

namespace Portcullis.Gateway.Tests.Jwks;

public sealed class TlsTests : IDisposable
{
    private static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset To = new(2120, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly X509Certificate2 _authority = MakeAuthority();
    private readonly X509Certificate2 _otherAuthority = MakeAuthority();

    public void Dispose()
    {
        _authority.Dispose();
        _otherAuthority.Dispose();
    }

    [Fact]
    public async Task Fetch_OfAServerOfAPrivateAuthority_FailsWithoutIt()
    {
        await using var server = await StartAsync("localhost");
        await using var fetching = new Fetching();

        var (_, status) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));

        Assert.StartsWith("TLS: ", status.LastFailure, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Fetch_WithTheAuthorityInAnAnnotation_TrustsIt()
    {
        await using var server = await StartAsync("localhost");
        await using var fetching = new Fetching();
        var location = Fetching.At(server.KeysUrl, "https://issuer.test", (JwksAnnotations.Authorities, _authority.ExportCertificatePem()));

        Assert.Equal(1, (await fetching.FetchAsync(location)).Status.KeyCount);
    }

    [Fact]
    public async Task Fetch_WithTheOperatorsAuthority_TrustsIt()
    {
        await using var server = await StartAsync("localhost");
        await using var fetching = new Fetching(new JwksFetchOptions { ExtraAuthorities = [_authority] });

        Assert.Equal(1, (await fetching.FetchAsync(Fetching.At(server.KeysUrl))).Status.KeyCount);
    }

    [Fact]
    public async Task Fetch_WithAnotherAuthority_Fails()
    {
        await using var server = await StartAsync("localhost");
        await using var fetching = new Fetching(new JwksFetchOptions { ExtraAuthorities = [_otherAuthority] });

        Assert.StartsWith("TLS: ", (await fetching.FetchAsync(Fetching.At(server.KeysUrl))).Status.LastFailure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fetch_OfACertificateForAnotherName_FailsWhateverTheAuthority()
    {
        await using var server = await StartAsync("other.test");
        await using var fetching = new Fetching(new JwksFetchOptions { ExtraAuthorities = [_authority] });

        Assert.StartsWith("TLS: ", (await fetching.FetchAsync(Fetching.At(server.KeysUrl))).Status.LastFailure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fetch_RedirectedFromHttpsToHttp_IsRefused()
    {
        await using var plain = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var server = await StartAsync("localhost");
        server.Answer = KeyServer.Redirect(plain.KeysUrl);
        await using var fetching = new Fetching(new JwksFetchOptions { ExtraAuthorities = [_authority] });

        var (_, status) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));

        Assert.Equal("a redirect from https to http, which is not followed", status.LastFailure);
        Assert.Empty(plain.Requests);
    }

    [Fact]
    public async Task Fetch_DiscoveredFromHttpsAtHttp_IsRefused()
    {
        await using var plain = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var server = await StartAsync("localhost");
        server.Serve($$"""{"jwks_uri":"{{plain.KeysUrl}}"}""");
        await using var fetching = new Fetching(new JwksFetchOptions { ExtraAuthorities = [_authority] });

        var (_, status) = await fetching.FetchAsync(Fetching.At(null, server.Origin));

        Assert.Contains("a jwks_uri of http", status.LastFailure, StringComparison.Ordinal);
        Assert.Empty(plain.Requests);
    }

    private async Task<KeyServer> StartAsync(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        using var signed = request.Create(_authority, From.AddDays(1), To.AddDays(-1), RandomNumberGenerator.GetBytes(8));
        using var certificate = signed.CopyWithPrivateKey(key);
        var server = await KeyServer.StartAsync(X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null));
        server.Serve(KeyServer.Set(Fetching.Key("a")));
        return server;
    }

    private static X509Certificate2 MakeAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Private authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        return request.CreateSelfSigned(From, To);
    }
}
