using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Listeners;

/// <summary>Connections forwarded as they are: TCP, TLS passed through, TLS terminated in front of TCP (routing.md §2.16; authorization.md §7.3).</summary>
public sealed class TcpTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(3_000_000)] // more than any buffer on the way
    public async Task Tcp_CopiesBothDirections_AndEachEndByItself(int size)
    {
        using var backend = new StreamBackend();
        await using var gateway = await StartAsync(backend.Port, Tcp);
        var sent = new byte[size];
        Random.Shared.NextBytes(sent);
        var answer = await ExchangeAsync(gateway.Port, sent);
        Assert.Equal([.. "echo:"u8, .. sent], answer);
    }

    [Fact]
    public async Task Tcp_BackendDown_ClosesTheConnection()
    {
        using var dead = new DeadPort();
        await using var gateway = await StartAsync(dead.Port, Tcp);
        Assert.Empty(await ExchangeAsync(gateway.Port, "x"u8.ToArray()));
    }

    [Theory]
    [InlineData("the peer", "action: DENY, rules: [{from: [{source: {ipBlocks: [127.0.0.1]}}]}]", false)]
    [InlineData("another peer", "action: DENY, rules: [{from: [{source: {ipBlocks: [10.0.0.0/8]}}]}]", true)]
    [InlineData("DENY of a method denies all TCP", "action: DENY, rules: [{to: [{operation: {methods: [GET]}}]}]", false)]
    [InlineData("DENY of a method on another port", "action: DENY, rules: [{to: [{operation: {methods: [GET], ports: ['1']}}]}]", true)]
    [InlineData("ALLOW of the peer", "rules: [{from: [{source: {ipBlocks: [127.0.0.1]}}]}]", true)]
    [InlineData("ALLOW with HTTP fields only allows nothing", "rules: [{to: [{operation: {paths: ['/*']}}]}]", false)]
    [InlineData("CUSTOM has nobody to ask", "action: CUSTOM, provider: {name: authz}, rules: [{}]", false)]
    public async Task Tcp_Policy_DecidesOnTheConnection(string name, string spec, bool isAllowed)
    {
        using var backend = new StreamBackend();
        var policy = $"apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: p, namespace: istio-system}}\nspec: {{{spec}}}\n";
        await using var gateway = await StartAsync(backend.Port, Tcp, ("policy.yaml", policy));
        var answer = await ExchangeAsync(gateway.Port, "x"u8.ToArray());
        Assert.True(isAllowed == (Encoding.ASCII.GetString(answer) == "echo:x"), name);
        Assert.Equal(isAllowed ? 1 : 0, backend.Connections);
    }

    [Fact]
    public async Task Tcp_ConnectionIsKeptOverAReload_AndIsCounted()
    {
        using var backend = new StreamBackend();
        await using var gateway = await StartAsync(backend.Port, Tcp);
        using var client = await ConnectAsync(gateway.Port);
        await client.SendAsync("a"u8.ToArray());
        await gateway.ApplyAsync("policy.yaml", """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: p, namespace: istio-system}
            spec: {action: DENY, rules: [{}]}
            """);
        Assert.Empty(await ExchangeAsync(gateway.Port, "x"u8.ToArray()));
        await client.SendAsync("b"u8.ToArray());
        Assert.Equal("echo:ab", Encoding.ASCII.GetString(await EndAsync(client)));
        var statistics = await gateway.StatisticsAsync();
        Assert.Contains("istio_tcp_connections_opened_total{", statistics, StringComparison.Ordinal);
        Assert.Contains("portcullis_tcp_denied_total{", statistics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PassThrough_GoesByServerName_AndOnlyToNamesThatAreExposed()
    {
        using var certificate = _authority.Issue("a.example.com");
        using var backend = new StreamBackend(certificate);
        await using var gateway = await StartAsync(backend.Port, PassThrough);
        await using (var client = await TlsClient.ConnectAsync(gateway.Port, "a.example.com"))
        {
            // The handshake was with the backend: the gateway has no certificate at all.
            Assert.Equal(certificate.GetSerialNumberString(), client.Stream.RemoteCertificate!.GetSerialNumberString());
            await client.Stream.WriteAsync("hello"u8.ToArray(), TestContext.Current.CancellationToken);
            using var reader = new StreamReader(client.Stream);
            Assert.Equal("echo:hello", await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
        }

        foreach (var name in new[] { "b.example.com", "", "outbound_.8000_._.httpbin.default.svc.cluster.local", "httpbin.default.svc.cluster.local" })
        {
            Assert.True(await TlsClient.IsRefusedAsync(gateway.Port, name), name);
        }

        Assert.Equal(1, backend.Connections);
    }

    [Fact]
    public async Task TerminatedTls_ForwardsWhatIsInside()
    {
        using var backend = new StreamBackend();
        using var clients = new TestAuthority("Client CA");
        await using var gateway = await StartAsync(
            backend.Port,
            TlsTerminationTests.Gateway(TlsTerminationTests.Server("tls", "a.example.com", "credentialName: web"))
                .Replace("protocol: HTTPS", "protocol: TLS", StringComparison.Ordinal).Replace("SIMPLE", "MUTUAL", StringComparison.Ordinal),
            ("secret.yaml", TestAuthority.Secret("web", _authority.Issue("a.example.com"))),
            ("secret-ca.yaml", TestAuthority.Secret("web-cacert", ("cacert", clients.Pem))),
            ("policy.yaml", """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: p, namespace: istio-system}
                spec: {rules: [{from: [{source: {principals: [td/ns/a/sa/b]}}]}]}
                """));
        using var friend = clients.Issue("spiffe://td/ns/a/sa/b");
        using var stranger = clients.Issue("spiffe://td/ns/a/sa/c");
        await using (var client = await TlsClient.ConnectAsync(gateway.Port, "a.example.com", friend))
        {
            await client.Stream.WriteAsync("hello"u8.ToArray(), TestContext.Current.CancellationToken);
            await client.Stream.ShutdownAsync();
            using var reader = new StreamReader(client.Stream);
            Assert.Equal("echo:hello", await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
        }

        Assert.True(await TlsClient.IsRefusedAsync(gateway.Port, "a.example.com", stranger));
        Assert.Equal(1, backend.Connections);
    }

    [Theory]
    [InlineData("mode: SIMPLE, subjectAltNames: [db.example.com]", true)]
    [InlineData("mode: SIMPLE, sni: db.example.com", true)]
    [InlineData("mode: SIMPLE", true)] // only the chain counts, as in Istio
    [InlineData("mode: SIMPLE, subjectAltNames: [other.example.com]", false)]
    [InlineData("mode: ISTIO_MUTUAL", false)]
    public async Task Tcp_ToABackendWithTls_VerifiesIt(string tls, bool isTrusted)
    {
        using var folder = new TemporaryFolder();
        using var certificate = _authority.Issue("db.example.com");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var backend = EchoOverTlsAsync(listener, certificate);
        var ca = tls.Contains("SIMPLE", StringComparison.Ordinal) ? $", caCertificates: {folder.Write("ca.pem", _authority.Pem)}" : "";
        await using var gateway = await StartAsync(((IPEndPoint)listener.LocalEndpoint).Port, Tcp, ("rule.yaml",
            $"apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: db, namespace: default}}\nspec: {{host: httpbin, trafficPolicy: {{tls: {{{tls}{ca}}}}}}}\n"));

        var answer = await ExchangeAsync(gateway.Port, "hello"u8.ToArray());

        Assert.Equal(isTrusted ? "echo:hello" : "", Encoding.ASCII.GetString(answer));
        listener.Stop();
        await backend;
    }

    private static async Task EchoOverTlsAsync(TcpListener listener, X509Certificate2 certificate)
    {
        try
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync();
                try
                {
                    await using var stream = new SslStream(client.GetStream());
                    await stream.AuthenticateAsServerAsync(certificate);
                    using var received = new MemoryStream();
                    await received.WriteAsync("echo:"u8.ToArray());
                    await stream.CopyToAsync(received);
                    await stream.WriteAsync(received.ToArray());
                    await stream.ShutdownAsync();
                }
                catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
                {
                    // The gateway did not like the certificate.
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    [Fact]
    public async Task Tcp_Idle_IsClosed()
    {
        using var backend = new StreamBackend();
        await using var gateway = await InProcessGateway.StartAsync(
            backend.Port, new() { Time = new ShortIdle() }, ("gateway.yaml", Tcp), ("virtual-service.yaml", VirtualService));
        using var client = await ConnectAsync(gateway.Port);
        await client.SendAsync("a"u8.ToArray());
        try
        {
            Assert.Equal(0, await client.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken));
        }
        catch (SocketException e)
        {
            Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
        }
    }

    private const string LogFormat =
        "%PROTOCOL% %REQ(:METHOD)% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% %BYTES_RECEIVED% %BYTES_SENT% "
        + "%UPSTREAM_HOST% %UPSTREAM_CLUSTER% %REQUESTED_SERVER_NAME% %POLICY_NAME%\\n";

    private static readonly InProcessOptions Logged = new() { Mesh = $"accessLogFile: ${{access-log}}\naccessLogFormat: \"{LogFormat}\"\n" };

    [Fact]
    public async Task Tcp_HasALineInTheAccessLog_WithBytesAndBackend()
    {
        using var backend = new StreamBackend();
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Logged, ("gateway.yaml", Tcp), ("virtual-service.yaml", VirtualService));

        Assert.Equal("echo:abc", Encoding.ASCII.GetString(await ExchangeAsync(gateway.Port, "abc"u8.ToArray())));

        Assert.Equal(
            [$"- - 0 - - - 3 8 127.0.0.1:{backend.Port} outbound|8000||httpbin.default.svc.cluster.local - -"], await gateway.StopAndReadAccessLogAsync());
    }

    [Fact]
    public async Task Tcp_ThatCannotBeServed_SaysWhyInTheAccessLog()
    {
        using var dead = new DeadPort();
        const string Cluster = "outbound|8000||httpbin.default.svc.cluster.local";
        await using var gateway = await InProcessGateway.StartAsync(dead.Port, Logged, ("gateway.yaml", Tcp), ("virtual-service.yaml", VirtualService));
        Assert.Empty(await ExchangeAsync(gateway.Port, "x"u8.ToArray()));

        await gateway.ApplyAsync("endpoints.yaml", Samples.Endpoints(dead.Port).Replace("endpoints:\n  - addresses: [\"127.0.0.1\"]", "endpoints: []", StringComparison.Ordinal));
        Assert.Empty(await ExchangeAsync(gateway.Port, "x"u8.ToArray()));
        await gateway.ApplyAsync("virtual-service.yaml", VirtualService.Replace("{host: httpbin,", "{host: nosuch,", StringComparison.Ordinal));
        Assert.Empty(await ExchangeAsync(gateway.Port, "x"u8.ToArray()));
        await gateway.ApplyAsync("policy.yaml", """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: p, namespace: istio-system}
            spec: {action: DENY, rules: [{}]}
            """);
        Assert.Empty(await ExchangeAsync(gateway.Port, "x"u8.ToArray()));

        Assert.Equal(
            [
                $"- - 0 UF,URX - - 0 0 127.0.0.1:{dead.Port} {Cluster} - -",
                $"- - 0 UH - - 0 0 - {Cluster} - -",
                "- - 0 NC - - 0 0 - - - -",
                "- - 0 - - rbac_access_denied_matched_policy[ns[istio-system]-policy[p]-rule[0]] 0 0 - - - ns[istio-system]-policy[p]-rule[0]",
            ],
            await gateway.StopAndReadAccessLogAsync());
    }

    [Fact]
    public async Task Tcp_OverTheConnectionsOfADestinationRule_IsClosedUntilOneEnds()
    {
        using var backend = new StreamBackend();
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Logged, ("gateway.yaml", Tcp), ("virtual-service.yaml", VirtualService), ("rule.yaml", """
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: httpbin, namespace: default}
            spec: {host: httpbin, trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}}}
            """));
        using (var first = await ConnectAsync(gateway.Port))
        {
            await first.SendAsync("a"u8.ToArray());
            while (backend.Connections == 0)
            {
                await Task.Yield();
            }

            Assert.Empty(await ExchangeAsync(gateway.Port, "b"u8.ToArray()));
            await EndAsync(first);
        }

        while (Encoding.ASCII.GetString(await ExchangeAsync(gateway.Port, "c"u8.ToArray())) != "echo:c")
        {
            await Task.Yield(); // the gateway has yet to see the end
        }

        Assert.Contains("- - 0 UO - - 0 0 - outbound|8000||httpbin.default.svc.cluster.local - -", await gateway.StopAndReadAccessLogAsync());
    }

    [Fact]
    public async Task Tls_InTheAccessLog_NamesTheServerThatWasAskedFor()
    {
        using var certificate = _authority.Issue("a.example.com");
        using var backend = new StreamBackend(certificate);
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Logged, ("gateway.yaml", PassThrough), ("virtual-service.yaml", VirtualService));
        await using (var client = await TlsClient.ConnectAsync(gateway.Port, "a.example.com"))
        {
            await client.Stream.WriteAsync("hello"u8.ToArray(), TestContext.Current.CancellationToken);
            using var reader = new StreamReader(client.Stream);
            Assert.Equal("echo:hello", await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
        }

        Assert.True(await TlsClient.IsRefusedAsync(gateway.Port, "b.example.org"));
        await ExchangeAsync(gateway.Port, "GET / HTTP/1.1\r\n\r\n"u8.ToArray());

        string[] lines = [.. (await gateway.StopAndReadAccessLogAsync()).Order(StringComparer.Ordinal)]; // each is written when its connection has ended
        Assert.Equal(3, lines.Length);
        Assert.Matches(@"^- - 0 - - - [1-9]\d+ [1-9]\d+ 127\.0\.0\.1:\d+ outbound\|8000\|\|httpbin\.default\.svc\.cluster\.local a\.example\.com -$", lines[0]);
        Assert.Equal(["- - 0 NR filter_chain_not_found - 0 0 - - - -", "- - 0 NR filter_chain_not_found - 0 0 - - b.example.org -"], lines[1..]);
    }

    public void Dispose() => _authority.Dispose();

    private const string Tcp = """
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: httpbin-gateway, namespace: default}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - {hosts: ['*'], port: {name: tcp, number: 80, protocol: TCP}}
        """;

    private const string PassThrough = """
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: httpbin-gateway, namespace: default}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - {hosts: ['*.example.com'], port: {name: tls, number: 80, protocol: TLS}, tls: {mode: PASSTHROUGH}}
        """;

    private const string VirtualService = """
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: httpbin, namespace: default}
        spec:
          gateways: [httpbin-gateway]
          hosts: [a.example.com]
          tcp:
          - route: [{destination: {host: httpbin, port: {number: 8000}}}]
          tls:
          - match: [{sniHosts: [a.example.com]}]
            route: [{destination: {host: httpbin, port: {number: 8000}}}]
        """;

    private static Task<InProcessGateway> StartAsync(int backendPort, string gateway, params (string, string)[] resources) => InProcessGateway.StartAsync(
        backendPort,
        new() { HasStats = true, Mesh = "extensionProviders: [{name: authz, envoyExtAuthzHttp: {service: httpbin.default.svc.cluster.local, port: 8000}}]" },
        [("gateway.yaml", gateway), ("virtual-service.yaml", VirtualService), .. resources]);

    private static async Task<Socket> ConnectAsync(int port)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        return socket;
    }

    /// <summary>Sends everything, ends that direction, and reads to the end of the other.</summary>
    private static async Task<byte[]> ExchangeAsync(int port, byte[] sent)
    {
        using var socket = await ConnectAsync(port);
        try
        {
            for (var at = 0; at < sent.Length;)
            {
                at += await socket.SendAsync(sent.AsMemory(at));
            }

            return await EndAsync(socket);
        }
        catch (SocketException)
        {
            return []; // closed on us
        }
    }

    private static async Task<byte[]> EndAsync(Socket socket)
    {
        socket.Shutdown(SocketShutdown.Send);
        using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
        using var received = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer, patience.Token) is var count and > 0)
        {
            received.Write(buffer, 0, count);
        }

        return received.ToArray();
    }

    /// <summary>Real time, but an hour is a moment.</summary>
    private sealed class ShortIdle : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => dueTime == TimeSpan.FromMinutes(15)
            ? base.CreateTimer(callback, state, TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(50))
            : base.CreateTimer(callback, state, dueTime, period);

        public override long TimestampFrequency => TimeProvider.System.TimestampFrequency / 100_000;
    }
}
