using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Listeners;

/// <summary>TLS terminated by the gateway (routing.md §1.5, §1.6).</summary>
public sealed class TlsTerminationTests : IDisposable
{
    private readonly EchoBackend _backend = new();
    private readonly TestAuthority _authority = new();

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Https_ServesBothVersionsByAlpn(string version)
    {
        await using var gateway = await StartAsync(Server("a", "*", "credentialName: web"), TestAuthority.Secret("web", _authority.Issue("shop.example.com")));
        using var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = { TargetHost = "shop.example.com", RemoteCertificateValidationCallback = (_, c, _, _) => c!.Issuer == "CN=Test CA" },
        };
        using var client = new HttpMessageInvoker(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://127.0.0.1:{gateway.Port}/x")
        {
            Version = Version.Parse(version),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Host = "shop.example.com";
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, Version.Parse(version)), (response.StatusCode, response.Version));
        Assert.Contains("x-forwarded-proto: https", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task ServerName_ChoosesTheServer_AndItsHostsAlone()
    {
        await using var gateway = await StartAsync(
            Server("exact", "a.example.com", "credentialName: exact") + Server("wild", "*.example.com", "credentialName: wild"),
            TestAuthority.Secret("exact", _authority.Issue("a.example.com")),
            TestAuthority.Secret("wild", _authority.Issue("wild.example.com")));

        Assert.Equal("a.example.com", await PresentedAsync("a.example.com"));
        Assert.Equal("a.example.com", await PresentedAsync("A.EXAMPLE.COM"));
        Assert.Equal("wild.example.com", await PresentedAsync("b.c.example.com"));
        Assert.True(await TlsClient.IsRefusedAsync(gateway.Port, "other.test"));
        Assert.True(await TlsClient.IsRefusedAsync(gateway.Port, "")); // no server name: only `*` would take it

        // The name chose the server; the Host of another server on the port finds nothing.
        Assert.Equal(200, (await TlsClient.GetAsync(gateway.Port, "a.example.com", "a.example.com")).Status);
        Assert.Equal(404, (await TlsClient.GetAsync(gateway.Port, "a.example.com", "b.example.com")).Status);
        Assert.Equal(200, (await TlsClient.GetAsync(gateway.Port, "b.example.com", "b.example.com")).Status);

        async Task<string> PresentedAsync(string name)
        {
            await using var client = await TlsClient.ConnectAsync(gateway.Port, name);
            return client.Stream.RemoteCertificate is System.Security.Cryptography.X509Certificates.X509Certificate2 c
                ? c.GetNameInfo(System.Security.Cryptography.X509Certificates.X509NameType.DnsName, forIssuer: false)
                : "";
        }
    }

    [Fact]
    public async Task Rotation_NewHandshakesGetTheNewCertificate_AndOpenConnectionsStay()
    {
        using var first = _authority.Issue("shop.example.com");
        using var second = _authority.Issue("shop.example.com");
        await using var gateway = await StartAsync(Server("a", "*", "credentialName: web"), TestAuthority.Secret("web", first));
        await using var open = await TlsClient.ConnectAsync(gateway.Port, "shop.example.com");
        Assert.Equal(200, (await open.GetAsync("shop.example.com")).Status);

        await gateway.ApplyAsync("secret-0.yaml", TestAuthority.Secret("web", second));

        await using var late = await TlsClient.ConnectAsync(gateway.Port, "shop.example.com");
        Assert.Equal(second.GetSerialNumberString(), late.Stream.RemoteCertificate!.GetSerialNumberString());
        Assert.Equal(200, (await late.GetAsync("shop.example.com")).Status);
        var again = await open.GetAsync("shop.example.com");
        Assert.Equal((200, null), (again.Status, again.Header("connection")));
    }

    [Fact]
    public async Task MissingSecret_FailsThisServersHandshakesAlone_AndIsReported()
    {
        await using var gateway = await StartAsync(
            Server("good", "good.example.com", "credentialName: web") + Server("bad", "bad.example.com", "credentialName: nowhere"),
            TestAuthority.Secret("web", _authority.Issue("good.example.com")));

        Assert.True(await TlsClient.IsRefusedAsync(gateway.Port, "bad.example.com"));
        Assert.Equal(200, (await TlsClient.GetAsync(gateway.Port, "good.example.com", "good.example.com")).Status);
        var problems = (await gateway.ReadinessAsync()).GetProperty("problems").EnumerateArray().Select(p => p.GetString()!);
        Assert.Contains(problems, p => p.Contains("secret istio-system/nowhere not found; TLS handshakes with this server fail", StringComparison.Ordinal));

        await gateway.ApplyAsync("secret-1.yaml", TestAuthority.Secret("nowhere", ("cert", _authority.Issue("bad.example.com").ExportCertificatePem()), ("key", "garbage")));
        Assert.True(await TlsClient.IsRefusedAsync(gateway.Port, "bad.example.com"));
        using var good = _authority.Issue("bad.example.com");
        await gateway.ApplyAsync("secret-1.yaml", TestAuthority.Secret("nowhere", ("cert", good.ExportCertificatePem()), ("key", TestAuthority.KeyPem(good))));
        Assert.Equal(200, (await TlsClient.GetAsync(gateway.Port, "bad.example.com", "bad.example.com")).Status);
    }

    [Fact]
    public async Task VersionsAndSuites_AreThoseOfTheServer()
    {
        await using var gateway = await StartAsync(
            Server("new", "new.example.com", "credentialName: web", "minProtocolVersion: TLSV1_3")
            + Server("old", "old.example.com", "credentialName: web", "maxProtocolVersion: TLSV1_2", "cipherSuites: [ECDHE-ECDSA-AES256-GCM-SHA384]"),
            TestAuthority.Secret("web", _authority.Issue("new.example.com")));

        Assert.True(await TlsClient.IsRefusedAsync(gateway.Port, "new.example.com", protocols: SslProtocols.Tls12));
        await using var modern = await TlsClient.ConnectAsync(gateway.Port, "new.example.com");
        Assert.Equal(SslProtocols.Tls13, modern.Stream.SslProtocol);
        await using var old = await TlsClient.ConnectAsync(gateway.Port, "old.example.com");
        Assert.Equal((SslProtocols.Tls12, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384), (old.Stream.SslProtocol, old.Stream.NegotiatedCipherSuite));
    }

    [Fact]
    public async Task TwoCertificates_TheClientsSignaturesChoose()
    {
        await using var gateway = await StartAsync(
            Server("a", "*", "credentialNames: [rsa, ecdsa]"),
            TestAuthority.Secret("rsa", _authority.Issue("CN=rsa", isRsa: true, "a.example.com")),
            TestAuthority.Secret("ecdsa", _authority.Issue("a.example.com")));
        await using var client = await TlsClient.ConnectAsync(gateway.Port, "a.example.com");
        Assert.Equal("1.2.840.10045.2.1", client.Stream.RemoteCertificate!.GetKeyAlgorithm());
        Assert.SkipUnless(OpenSsl.IsPresent, OpenSsl.Absent);
        var shown = await OpenSsl.ClientAsync(gateway.Port, "-servername", "a.example.com", "-sigalgs", "RSA-PSS+SHA256");
        Assert.Contains("subject=CN = rsa", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ClientThatNamesOtherProtocolsOnly_IsServedHttp1()
    {
        await using var gateway = await StartAsync(Server("a", "*", "credentialName: web"), TestAuthority.Secret("web", _authority.Issue("a.example.com")));
        await using var client = await TlsClient.ConnectAsync(gateway.Port, "a.example.com", alpn: new SslApplicationProtocol("acme/1"));
        Assert.Equal(200, (await client.GetAsync("a.example.com")).Status);
    }

    [Fact]
    public async Task NotTls_IsClosed()
    {
        await using var gateway = await StartAsync(Server("a", "*", "credentialName: web"), TestAuthority.Secret("web", _authority.Issue("a.example.com")));
        await Assert.ThrowsAnyAsync<Exception>(() => RawHttp.GetAsync(gateway.Port, "/"));
    }

    [Fact]
    public async Task FileCertificates_AreServed_AndTakenUpWhenTheyChange()
    {
        using var folder = new TemporaryFolder();
        using var first = _authority.Issue("a.example.com");
        using var second = _authority.Issue("a.example.com");
        var (cert, key) = (folder.Write("tls.crt", first.ExportCertificatePem()), folder.Write("tls.key", TestAuthority.KeyPem(first)));
        await using var gateway = await InProcessGateway.StartAsync(
            _backend.Port, new() { Time = new FastFileWatch() }, ("gateway.yaml", Gateway(Server("a", "*", $"serverCertificate: {cert}", $"privateKey: {key}"))));
        Assert.Equal(200, (await TlsClient.GetAsync(gateway.Port, "a.example.com", "a.example.com")).Status);

        File.Delete(cert); // away for a moment: the pair of before stays, and the watch goes on
        await gateway.Log.WaitForAsync("a rotated certificate cannot be used");
        folder.Write("tls.crt", second.ExportCertificatePem()); // and not yet the key
        await gateway.Log.WaitForAsync("a rotated certificate cannot be used", 2);
        Assert.Equal(200, (await TlsClient.GetAsync(gateway.Port, "a.example.com", "a.example.com")).Status);
        folder.Write("tls.key", TestAuthority.KeyPem(second));
        using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
        while (true)
        {
            patience.Token.ThrowIfCancellationRequested();
            await using var client = await TlsClient.ConnectAsync(gateway.Port, "a.example.com");
            if (client.Stream.RemoteCertificate!.GetSerialNumberString() == second.GetSerialNumberString())
            {
                break;
            }
        }
    }

    [Fact]
    public async Task ProtocolOfAPort_MayChange_AndTheOldConnectionIsDrained()
    {
        await using var gateway = await InProcessGateway.StartAsync(_backend.Port, new());
        using var plain = new SocketsHttpHandler { UseProxy = false };
        using var client = new HttpMessageInvoker(plain);
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
        await gateway.ApplyAsync("secret.yaml", TestAuthority.Secret("web", _authority.Issue("a.example.com")));
        await gateway.ApplyAsync("gateway.yaml", Gateway(Server("a", "*", "credentialName: web")));
        Assert.Equal(200, (await TlsClient.GetAsync(gateway.Port, "a.example.com", "a.example.com")).Status);
    }

    [Fact]
    public async Task HttpsRedirect_SendsPlainRequestsToHttps()
    {
        const string Redirecting = """
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: httpbin-gateway, namespace: default}
            spec:
              selector: {istio: ingressgateway}
              servers:
              - {hosts: ['*'], port: {name: http, number: 80, protocol: HTTP}, tls: {httpsRedirect: true}}
            """;
        await using var gateway = await InProcessGateway.StartAsync(_backend.Port, new(), ("gateway.yaml", Redirecting));
        var response = await RawHttp.GetAsync(gateway.Port, "/a?b=c", "Host: shop.example.com:8080", "x-forwarded-proto: https");
        Assert.Equal((301, "https://shop.example.com:8080/a?b=c"), (response.Status, response.Header("location")));
    }

    [Fact]
    public async Task OpenSslAndCurl_AgreeWithUs()
    {
        Assert.SkipUnless(OpenSsl.IsPresent, OpenSsl.Absent);
        await using var gateway = await StartAsync(Server("a", "shop.example.com", "credentialName: web"), TestAuthority.Secret("web", _authority.Issue("shop.example.com")));
        var shown = await OpenSsl.ClientAsync(gateway.Port, "-servername", "shop.example.com", "-alpn", "h2,http/1.1");
        Assert.Contains("ALPN protocol: h2", shown, StringComparison.Ordinal);
        Assert.Contains("issuer=CN = Test CA", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("BEGIN CERTIFICATE", await OpenSsl.ClientAsync(gateway.Port, "-servername", "other.test"), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _backend.Dispose();
        _authority.Dispose();
    }

    internal static string Gateway(string servers) => $$"""
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: httpbin-gateway, namespace: default}
        spec:
          selector: {istio: ingressgateway}
          servers:
        {{servers}}
        """;

    internal static string Server(string name, string host, params ReadOnlySpan<string> tls) =>
        $"  - hosts: ['{host}']\n    port: {{name: {name}, number: 80, protocol: HTTPS}}\n    tls: {{mode: SIMPLE, {string.Join(", ", tls)}}}\n";

    private Task<InProcessGateway> StartAsync(string servers, params string[] secrets) =>
        InProcessGateway.StartAsync(
            _backend.Port, new(), [("gateway.yaml", Gateway(servers)), .. secrets.Select((s, i) => ($"secret-{i}.yaml", s))]);

    /// <summary>Real time, but for the 5 s between two looks at certificate files.</summary>
    private sealed class FastFileWatch : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => dueTime == TimeSpan.FromSeconds(5)
            ? base.CreateTimer(callback, state, TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(50))
            : base.CreateTimer(callback, state, dueTime, period);
    }
}
