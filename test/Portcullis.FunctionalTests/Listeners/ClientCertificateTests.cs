using System.Security.Cryptography;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Listeners;

/// <summary>Who may come with which certificate, and what policies and backends learn of it (authorization.md §5, Z47 to Z49; routing.md §6.1).</summary>
public sealed class ClientCertificateTests : IDisposable
{
    private const string Name = "shop.example.com";

    private readonly EchoBackend _backend = new();
    private readonly TestAuthority _authority = new();
    private readonly TestAuthority _clients = new("Client CA");

    [Fact]
    public async Task Mutual_TakesCertificatesOfTheCaOnly()
    {
        await using var gateway = await StartAsync("MUTUAL");
        using var stranger = _authority.Issue("spiffe://cluster.local/ns/a/sa/b");
        using var client = _clients.Issue("spiffe://cluster.local/ns/a/sa/b");

        Assert.True(await TlsClient.IsRefusedAsync(gateway.Port, Name));
        Assert.True(await TlsClient.IsRefusedAsync(gateway.Port, Name, stranger));
        Assert.Equal(200, (await TlsClient.GetAsync(gateway.Port, Name, Name, client)).Status);
    }

    [Fact]
    public async Task OptionalMutual_TakesNoCertificate_AndNoBadOne()
    {
        await using var gateway = await StartAsync("OPTIONAL_MUTUAL");
        using var stranger = _authority.Issue("spiffe://cluster.local/ns/a/sa/b");
        Assert.Equal(200, (await TlsClient.GetAsync(gateway.Port, Name, Name)).Status);
        Assert.True(await TlsClient.IsRefusedAsync(gateway.Port, Name, stranger));
    }

    [Theory]
    [InlineData("Z47", "principals: ['*']", "{}", null, 403)]
    [InlineData("Z47, with one", "principals: ['*']", "{}", "spiffe://td/ns/a/sa/b", 200)]
    [InlineData("Z48", "principals: [cluster.local/ns/a/sa/b]", "trustDomain: td1", "spiffe://td1/ns/a/sa/b", 200)]
    [InlineData("Z48, an alias", "principals: [td1/ns/a/sa/b]", "{trustDomain: td1, trustDomainAliases: [td2]}", "spiffe://td2/ns/a/sa/b", 200)]
    [InlineData("Z48, a stranger", "principals: [td1/ns/a/sa/b]", "{trustDomain: td1, trustDomainAliases: [td2]}", "spiffe://td3/ns/a/sa/b", 403)]
    [InlineData("Z49", "serviceAccounts: [a/cert.io]", "{}", "spiffe://td/ns/a/sa/certXio", 403)]
    [InlineData("Z49, the account", "serviceAccounts: [a/cert.io]", "{}", "spiffe://td/ns/a/sa/cert.io", 200)]
    [InlineData("a namespace", "namespaces: [a]", "{}", "spiffe://td/ns/a/sa/b", 200)]
    [InlineData("another namespace", "namespaces: [a]", "{}", "spiffe://td/ns/b/sa/a", 403)]
    public async Task Policy_SeesTheIdentity(string id, string source, string mesh, string? uri, int status)
    {
        var policy = $"apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: p, namespace: istio-system}}\nspec:\n  rules:\n  - from:\n    - source: {{{source}}}\n";
        await using var gateway = await StartAsync("OPTIONAL_MUTUAL", mesh, policy);
        using var client = uri is null ? null : _clients.Issue(uri);
        var response = await TlsClient.GetAsync(gateway.Port, Name, Name, client);
        Assert.True(status == response.Status, $"{id}: {response.Status}");
    }

    [Fact]
    public async Task Policy_SeesTheServerName()
    {
        const string Policy = """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: p, namespace: istio-system}
            spec: {rules: [{when: [{key: connection.sni, values: [shop.example.com]}]}]}
            """;
        await using var gateway = await StartAsync("OPTIONAL_MUTUAL", policy: Policy);
        Assert.Equal(200, (await TlsClient.GetAsync(gateway.Port, Name, Name)).Status);
        Assert.Equal(403, (await TlsClient.GetAsync(gateway.Port, "other.example.com", Name)).Status);
    }

    [Theory]
    [InlineData("SANITIZE_SET", true, "own")]
    [InlineData("SANITIZE_SET", false, "")]
    [InlineData("SANITIZE", true, "")]
    [InlineData("FORWARD_ONLY", true, "forged")]
    [InlineData("FORWARD_ONLY", false, "")]
    [InlineData("APPEND_FORWARD", true, "forged,own")]
    [InlineData("APPEND_FORWARD", false, "")]
    [InlineData("ALWAYS_FORWARD_ONLY", false, "forged")]
    public async Task ForwardedClientCertificate_IsWhatTheMeshSays(string mode, bool hasCertificate, string expected)
    {
        await using var gateway = await StartAsync("OPTIONAL_MUTUAL", $"defaultConfig: {{gatewayTopology: {{forwardClientCertDetails: {mode}}}}}");
        using var client = hasCertificate ? _clients.Issue("spiffe://td/ns/a/sa/b", "dns.example.com") : null;
        var request = EchoedRequest.Of(await TlsClient.GetAsync(gateway.Port, Name, Name, client, "X-Forwarded-Client-Cert: forged"));
        var own = client is null ? "" : $"Hash={Convert.ToHexStringLower(SHA256.HashData(client.RawData))};Cert=\"{Uri.EscapeDataString(client.ExportCertificatePem() + "\n")}\";"
            + "Subject=\"CN=leaf,O=Portcullis\";URI=spiffe://td/ns/a/sa/b;DNS=dns.example.com";
        Assert.Equal(expected.Replace("own", own, StringComparison.Ordinal), string.Concat(request.Lines("x-forwarded-client-cert")));
    }

    [Fact]
    public async Task HeaderValues_MayTellOfTheConnection()
    {
        await using var gateway = await StartAsync("OPTIONAL_MUTUAL");
        using var client = _clients.Issue("spiffe://td/ns/a/sa/b");
        await gateway.ApplyAsync("virtual-service.yaml", """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: tls, namespace: default}
            spec:
              hosts: ["*"]
              gateways: [default/httpbin-gateway]
              http:
              - headers: {request: {set: {x-tls: "%DOWNSTREAM_TLS_VERSION% %REQUESTED_SERVER_NAME% %DOWNSTREAM_PEER_URI_SAN% %DOWNSTREAM_PEER_FINGERPRINT_256%"} } }
                route: [{destination: {host: httpbin} }]
            """);

        var request = EchoedRequest.Of(await TlsClient.GetAsync(gateway.Port, Name, Name, client));

        Assert.Equal($"TLSv1.3 {Name} spiffe://td/ns/a/sa/b {Convert.ToHexStringLower(SHA256.HashData(client.RawData))}", Assert.Single(request.Lines("x-tls")));
    }

    [Fact]
    public async Task NamesAndPins_NarrowWhoMayCome()
    {
        using var named = _clients.Issue("spiffe://td/ns/a/sa/b");
        using var other = _clients.Issue("spiffe://td/ns/a/sa/c");
        await using (var gateway = await StartAsync("MUTUAL", tls: "subjectAltNames: ['spiffe://td/ns/a/sa/b']"))
        {
            Assert.Equal(200, (await TlsClient.GetAsync(gateway.Port, Name, Name, named)).Status);
            Assert.True(await TlsClient.IsRefusedAsync(gateway.Port, Name, other));
        }

        var spki = Convert.ToBase64String(SHA256.HashData(named.PublicKey.ExportSubjectPublicKeyInfo()));
        await using (var gateway = await StartAsync("MUTUAL", tls: $"verifyCertificateSpki: ['{spki}']"))
        {
            Assert.Equal(200, (await TlsClient.GetAsync(gateway.Port, Name, Name, named)).Status);
            Assert.True(await TlsClient.IsRefusedAsync(gateway.Port, Name, other));
        }
    }

    [Fact]
    public async Task RevokedCertificate_IsRefused()
    {
        using var good = _clients.Issue("good.example.com");
        using var revoked = _clients.Issue("bad.example.com");
        await using var gateway = await StartAsync("MUTUAL", revocations: _clients.Revoke(revoked));
        Assert.Equal(200, (await TlsClient.GetAsync(gateway.Port, Name, Name, good)).Status);
        Assert.True(await TlsClient.IsRefusedAsync(gateway.Port, Name, revoked));

        // A list of somebody else says nothing of these, so nobody may come.
        await gateway.ApplyAsync("secret-ca.yaml", TestAuthority.Secret("web-cacert", ("cacert", _clients.Pem), ("crl", _authority.Revoke(revoked))));
        Assert.True(await TlsClient.IsRefusedAsync(gateway.Port, Name, good));
    }

    [Fact]
    public async Task ChangedDemands_LetTheOpenConnectionAnswerOnceMoreAndEnd()
    {
        await using var gateway = await StartAsync("OPTIONAL_MUTUAL");
        await using var open = await TlsClient.ConnectAsync(gateway.Port, Name);
        Assert.Equal(200, (await open.GetAsync(Name)).Status);
        await gateway.ApplyAsync("gateway.yaml", TlsTerminationTests.Gateway(Server("MUTUAL")));
        var last = await open.GetAsync(Name);
        Assert.Equal((200, "close"), (last.Status, last.Header("connection")));
        Assert.True(await TlsClient.IsRefusedAsync(gateway.Port, Name));
    }

    public void Dispose()
    {
        _backend.Dispose();
        _authority.Dispose();
        _clients.Dispose();
    }

    private static string Server(string mode, string? tls = null) =>
        TlsTerminationTests.Server("a", "*", tls is null ? ["credentialName: web"] : ["credentialName: web", tls]).Replace("SIMPLE", mode, StringComparison.Ordinal);

    private Task<InProcessGateway> StartAsync(string mode, string mesh = "{}", string? policy = null, string? tls = null, string? revocations = null)
    {
        var files = new List<(string, string)>
        {
            ("gateway.yaml", TlsTerminationTests.Gateway(Server(mode, tls))),
            ("secret.yaml", TestAuthority.Secret("web", _authority.Issue(Name))),
            ("secret-ca.yaml", revocations is null ? TestAuthority.Secret("web-cacert", ("cacert", _clients.Pem)) : TestAuthority.Secret("web-cacert", ("cacert", _clients.Pem), ("crl", revocations))),
        };
        if (policy is not null)
        {
            files.Add(("policy.yaml", policy));
        }

        return InProcessGateway.StartAsync(_backend.Port, new() { Mesh = mesh }, files);
    }
}
