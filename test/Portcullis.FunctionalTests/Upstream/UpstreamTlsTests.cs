using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Upstream;

/// <summary>TLS to backends, with certificates made here (routing.md §4.6).</summary>
public sealed class UpstreamTlsTests : IDisposable
{
    private const string VerifyFailed =
        "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport failure reason: TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:TLS_error_end";

    private readonly Authority _authority = new("root");
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("", "up.example", true)]
    [InlineData("", "other.example", false)]
    [InlineData("sni: other.example", "other.example", true)]
    [InlineData("sni: other.example, subjectAltNames: [up.example]", "other.example", true)]
    [InlineData("subjectAltNames: [spiffe://cluster.local/ns/a/sa/b]", "other.example", true)]
    [InlineData("subjectAltNames: [wrong.example]", "up.example", false)]
    public async Task Simple_VerifiesChainAndName(string settings, string host, bool isTrusted)
    {
        using var backend = new TlsBackend(_authority.Issue("up.example", "spiffe://cluster.local/ns/a/sa/b"));
        var ca = _folder.Write("ca.pem", _authority.Pem);
        await using var gateway = await UpstreamGateway.StartAsync(
            [backend.Port], "retries: {attempts: 0}", policy: $"tls: {{mode: SIMPLE, caCertificates: {ca}{(settings.Length > 0 ? ", " + settings : "")}}}");

        var response = await RawHttp.GetAsync(gateway.Port, "/", "Host: " + host);

        Assert.Equal(isTrusted ? (200, "secure") : (503, VerifyFailed), (response.Status, response.Body));
        Assert.Equal(!isTrusted ? null : settings.Contains("sni", StringComparison.Ordinal) ? "other.example" : host, backend.ServerNames.LastOrDefault());
    }

    [Fact]
    public async Task Simple_DoesNotTrustAnAuthorityOfNobody_AndSkipsOnlyWhenTold()
    {
        using var backend = new TlsBackend(_authority.Issue("up.example"));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], "retries: {attempts: 0}", policy: "tls: {mode: SIMPLE}");

        Assert.Equal(VerifyFailed, (await RawHttp.GetAsync(gateway.Port, "/", "Host: up.example")).Body);
        await gateway.ApplyAsync("up.yaml", UpstreamGateway.Documents([backend.Port], "tls: {mode: SIMPLE, insecureSkipVerify: true}"));
        Assert.Equal("secure", (await RawHttp.GetAsync(gateway.Port, "/", "Host: up.example")).Body);
    }

    [Fact]
    public async Task Simple_NeverSpeaksInClear()
    {
        using var clear = new ScriptedBackend(ScriptedAnswer.Of(200, "clear"));
        await using var gateway = await UpstreamGateway.StartAsync([clear.Port], "retries: {attempts: 0}", policy: "tls: {mode: SIMPLE}");

        var pending = RawHttp.GetAsync(gateway.Port, "/");

        Assert.DoesNotContain(clear.Requests, r => r.Head.Contains("GET", StringComparison.Ordinal));
        clear.Dispose();
        _ = await Record.ExceptionAsync(() => pending);
    }

    [Fact]
    public async Task IstioMutual_HasNoCertificate_AndSaysSo()
    {
        using var backend = new TlsBackend(_authority.Issue("up.example"));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], "retries: {attempts: 0}", policy: "tls: {mode: ISTIO_MUTUAL}");

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal(503, response.Status);
        Assert.EndsWith("the gateway has no mesh certificate for ISTIO_MUTUAL", response.Body, StringComparison.Ordinal);
        Assert.StartsWith("503 UF ", Assert.Single(await gateway.StopAndReadAccessLogAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mutual_PresentsTheCertificateOfItsSecret_AndTheNewOneAfterARotation_OnOpenConnectionsToo()
    {
        using var backend = new TlsBackend(_authority.Issue("up.example"), asksClient: true);
        const string Policy = "tls: {mode: MUTUAL, credentialName: client, sni: up.example}";
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], policy: Policy, resources: Secret("one"));

        Assert.Equal("CN=one", (await RawHttp.GetAsync(gateway.Port, "/")).Body);
        await gateway.ApplyAsync("up.yaml", UpstreamGateway.Documents([backend.Port], Policy, resources: Secret("two")));
        Assert.Equal("CN=one", (await RawHttp.GetAsync(gateway.Port, "/")).Body);

        Assert.Equal(1, backend.Connections);
        backend.CloseAll();
        await backend.WaitForCloseAsync();
        string body;
        do
        {
            body = (await RawHttp.GetAsync(gateway.Port, "/")).Body;
        }
        while (body != "CN=two");
    }

    [Theory]
    [InlineData("http", HttpProtocols.Http1)]
    [InlineData("http2", HttpProtocols.Http2)]
    public async Task Connections_AreNotSharedByHostsThatTheCertificateIsNotFor(string portName, HttpProtocols protocols)
    {
        using var authority = new TestAuthority();
        using var certificate = authority.Issue("up.example");
        await using var backend = await WebBackend.StartAsync(c => c.Response.WriteAsync(c.Request.Protocol), protocols, isSecure: true, certificate);
        await using var gateway = await UpstreamGateway.StartAsync(
            [backend.Port], "retries: {attempts: 0}", $"tls: {{mode: SIMPLE, caCertificates: {_folder.Write("ca.pem", authority.Pem)}}}", portName: portName);

        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/", "Host: up.example")).Status);
        Assert.Equal((503, VerifyFailed), await OtherAsync());
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/", "Host: up.example")).Status);
        Assert.Equal((503, VerifyFailed), await OtherAsync());

        async Task<(int, string)> OtherAsync()
        {
            var response = await RawHttp.GetAsync(gateway.Port, "/", "Host: other.example");
            return (response.Status, response.Body);
        }
    }

    [Fact]
    public async Task Connections_AreNotSharedByClustersOfTheSameEndpoint()
    {
        using var backend = new TlsBackend(_authority.Issue("up.example"), asksClient: true);
        using var client = _authority.Issue("client");
        var files = (Ca: _folder.Write("ca.pem", _authority.Pem), Cert: _folder.Write("client.pem", client.ExportCertificatePem()),
            Key: _folder.Write("client.key", client.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], "retries: {attempts: 0}", resources: $$"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: up, namespace: default}
            spec:
              host: up.default.svc.cluster.local
              subsets:
              - {name: known, trafficPolicy: {tls: {mode: MUTUAL, sni: up.example, caCertificates: {{files.Ca}}, clientCertificate: {{files.Cert}}, privateKey: {{files.Key}} } } }
              - {name: unknown, trafficPolicy: {tls: {mode: SIMPLE, sni: up.example, caCertificates: {{files.Ca}} } } }
            """);
        await gateway.ApplyAsync("virtual-service.yaml", """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: route, namespace: istio-system}
            spec:
              hosts: ["*"]
              gateways: [default/httpbin-gateway]
              http:
              - match: [{uri: {prefix: /known}}]
                route: [{destination: {host: up.default.svc.cluster.local, subset: known} }]
              - route: [{destination: {host: up.default.svc.cluster.local, subset: unknown} }]
            """);

        Assert.Equal((200, "CN=client"), await AnswerAsync("/known"));
        Assert.NotEqual("CN=client", (await AnswerAsync("/")).Body);
        Assert.Equal((200, "CN=client"), await AnswerAsync("/known"));

        async Task<(int Status, string Body)> AnswerAsync(string path)
        {
            var response = await RawHttp.GetAsync(gateway.Port, path);
            return (response.Status, response.Body);
        }
    }

    [Fact]
    public async Task RevokedCertificate_IsRefused_AndSoIsOneThatNoListSpeaksOf()
    {
        using var authority = new TestAuthority();
        using var certificate = authority.Issue("up.example");
        using var another = authority.Issue("up.example");
        using var stranger = new TestAuthority("Other CA");
        using var backend = new TlsBackend(authority.Issue("up.example"));
        using var revokedBackend = new TlsBackend(certificate);
        var ca = _folder.Write("ca.pem", authority.Pem);
        var policy = $"tls: {{mode: SIMPLE, caCertificates: {ca}, caCrl: {_folder.Write("ca.crl", authority.Revoke(certificate))}}}";
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], "retries: {attempts: 0}", policy);

        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/", "Host: up.example")).Status);
        await gateway.ApplyAsync("up.yaml", UpstreamGateway.Documents([revokedBackend.Port], policy));
        Assert.Equal(VerifyFailed, (await RawHttp.GetAsync(gateway.Port, "/", "Host: up.example")).Body);
        await gateway.ApplyAsync("up.yaml", UpstreamGateway.Documents(
            [backend.Port], $"tls: {{mode: SIMPLE, caCertificates: {ca}, caCrl: {_folder.Write("other.crl", stranger.Revoke(another))}}}"));
        Assert.Equal(VerifyFailed, (await RawHttp.GetAsync(gateway.Port, "/", "Host: up.example")).Body);
    }

    [Fact]
    public async Task MissingSecret_Is503_AndNamed()
    {
        using var backend = new TlsBackend(_authority.Issue("up.example"));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], "retries: {attempts: 0}", policy: "tls: {mode: SIMPLE, credentialName: gone}");

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.EndsWith("secret istio-system/gone not found", response.Body, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _folder.Dispose();
        _authority.Dispose();
    }

    private string Secret(string name)
    {
        using var certificate = _authority.Issue(name);
        return $"""
            apiVersion: v1
            kind: Secret
            metadata: [name: client, namespace: istio-system]
            stringData:
              tls.crt: {System.Text.Json.JsonSerializer.Serialize(certificate.ExportCertificatePem())}
              tls.key: {System.Text.Json.JsonSerializer.Serialize(certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem())}
              ca.crt: {System.Text.Json.JsonSerializer.Serialize(_authority.Pem)}
            """.Replace("[name: client, namespace: istio-system]", "{name: client, namespace: istio-system}", StringComparison.Ordinal);
    }

    private sealed class Authority : IDisposable
    {
        private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        private readonly X509Certificate2 _certificate;

        public Authority(string name)
        {
            var request = new CertificateRequest("CN=" + name, _key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            _certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(70));
        }

        public string Pem => _certificate.ExportCertificatePem();

        public X509Certificate2 Issue(string name, string? uri = null)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(name);
            if (uri is not null)
            {
                names.AddUri(new Uri(uri));
            }

            request.CertificateExtensions.Add(names.Build());
            using var issued = request.Create(_certificate, _certificate.NotBefore, _certificate.NotAfter, RandomNumberGenerator.GetBytes(8));
            return issued.CopyWithPrivateKey(key);
        }

        public void Dispose()
        {
            _certificate.Dispose();
            _key.Dispose();
        }
    }

    /// <summary>Answers <c>secure</c>, or the subject of the client's certificate, over TLS.</summary>
    private sealed class TlsBackend : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly X509Certificate2 _certificate;
        private readonly bool _asksClient;
        private readonly List<TcpClient> _open = [];
        private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TlsBackend(X509Certificate2 certificate, bool asksClient = false)
        {
            (_certificate, _asksClient) = (certificate, asksClient);
            _listener.Start();
            _ = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public int Connections { get; private set; }

        public List<string> ServerNames { get; } = [];

        public void CloseAll() => _open.ForEach(c => c.Dispose());

        public Task WaitForCloseAsync() => _closed.Task.WaitAsync(PortcullisProcess.Patience);

        public void Dispose()
        {
            _listener.Dispose();
            _certificate.Dispose();
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    _ = ServeAsync(await _listener.AcceptTcpClientAsync());
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private async Task ServeAsync(TcpClient client)
        {
            Connections++;
            _open.Add(client);
            try
            {
                using var stream = new SslStream(client.GetStream());
                await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
                {
                    ServerCertificate = _certificate,
                    ClientCertificateRequired = _asksClient,
                    RemoteCertificateValidationCallback = (_, certificate, _, _) => !_asksClient || certificate is not null,
                });
                var buffer = new byte[16 * 1024];
                while (await stream.ReadAsync(buffer) > 0)
                {
                    ServerNames.Add(stream.TargetHostName);
                    var body = _asksClient ? stream.RemoteCertificate?.Subject ?? "none" : "secure";
                    await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
                }
            }
            catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException or ObjectDisposedException)
            {
                // The gateway did not like the certificate, or the test closed the connection.
            }
            finally
            {
                _closed.TrySetResult();
            }
        }
    }
}
