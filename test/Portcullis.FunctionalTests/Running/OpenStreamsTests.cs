using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Portcullis.FunctionalTests.Listeners;
using Portcullis.FunctionalTests.Support;
using Portcullis.Gateway;
using Portcullis.TestSupport;

namespace Portcullis.FunctionalTests.Running;

/// <summary>Changes never cut what is open: it goes on under every reload, and ends whole.</summary>
public sealed class OpenStreamsTests : IDisposable
{
    private const int Reloads = 24;
    private const int Piece = 8;

    private const string Upgrade = "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    private const string Upgraded = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n";

    private readonly TcpListener _backend = new(IPAddress.Loopback, 0);
    private readonly DeadPort _dead = new();
    private readonly TestAuthority _authority = new();

    public OpenStreamsTests() => _backend.Start();

    private int BackendPort => ((IPEndPoint)_backend.LocalEndpoint).Port;

    public void Dispose()
    {
        _backend.Dispose();
        _dead.Dispose();
        _authority.Dispose();
    }

    [Theory]
    [InlineData(false, UpstreamClient.Lean)]
    [InlineData(false, UpstreamClient.Yarp)]
    [InlineData(true, UpstreamClient.Lean)]
    public async Task SocketEventsDownloadAndUpload_GoOnOverEveryKindOfReload_AndWhenTheirListenerIsGone(bool isSecure, UpstreamClient upstream)
    {
        await using var gateway = await InProcessGateway.StartAsync(
            BackendPort,
            new() { DrainTime = TimeSpan.FromMinutes(1), Upstream = upstream },
            isSecure ? [("gateway.yaml", TlsTerminationTests.Gateway(TlsTerminationTests.Server("a", "*", "credentialName: web"))), Certificate()] : []);
        using var socket = await OpenAsync(gateway.Port, isSecure, Upgrade);
        await socket.AnswerAsync(Upgraded, "HTTP/1.1 101");
        using var events = await OpenAsync(gateway.Port, isSecure, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
        await events.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200");
        using var download = await OpenAsync(gateway.Port, isSecure, "GET /download HTTP/1.1\r\nHost: a\r\n\r\n");
        await download.AnswerAsync($"HTTP/1.1 200 OK\r\nContent-Length: {(Reloads + 1) * Piece}\r\n\r\n", "HTTP/1.1 200");
        using var upload = await OpenAsync(gateway.Port, isSecure, $"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: {(Reloads + 1) * Piece}\r\n\r\n");

        for (var i = 0; i <= Reloads; i++)
        {
            var data = $"data{i:0000}";
            await PassAsync(socket.Client, socket.Backend, data);
            await PassAsync(socket.Backend, socket.Client, data);
            await SendAsync(events.Backend, $"{Piece}\r\n{data}\r\n");
            await ReadUntilAsync(events.Client, data);
            await PassAsync(download.Backend, download.Client, data);
            // YARP collects small pieces of a body, so only the end of the upload is looked for.
            await SendAsync(upload.Client, data);
            if (i < Reloads)
            {
                var (file, text) = i == Reloads - 1 ? ("gateway.yaml", NoListener) : Change(i);
                await gateway.ApplyAsync(file, text);
                // What a reload has replaced, and nobody holds, may go.
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }

        await ReadUntilAsync(upload.Backend, $"data{Reloads:0000}");
        await SendAsync(events.Backend, "0\r\n\r\n");
        await ReadUntilAsync(events.Client, "0\r\n\r\n");
        await upload.AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "HTTP/1.1 200");
        await PassAsync(upload.Backend, upload.Client, "that");
        using var late = new TcpClient();
        await Assert.ThrowsAsync<SocketException>(() => late.ConnectAsync(IPAddress.Loopback, gateway.Port, TestContext.Current.CancellationToken).AsTask());
    }

    [Fact]
    public async Task StreamOfARemovedListener_IsCutWhenTheDrainTimeIsOver()
    {
        await using var gateway = await InProcessGateway.StartAsync(BackendPort, new() { DrainTime = TimeSpan.FromMilliseconds(500) });
        using var socket = await OpenAsync(gateway.Port, isSecure: false, Upgrade);
        await socket.AnswerAsync(Upgraded, "HTTP/1.1 101");

        await gateway.ApplyAsync("gateway.yaml", NoListener);

        Assert.True(await EndsAsync(socket.Client));
        Assert.True(await EndsAsync(socket.Backend));
    }

    /// <summary>A listener for a selector that is not this gateway's.</summary>
    private const string NoListener = """
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: httpbin-gateway, namespace: default}
        spec: {selector: {istio: nobody}, servers: [{hosts: ["*"], port: {number: 80, name: http, protocol: HTTP} }]}
        """;

    /// <summary>One of every kind in turn, each of which would refuse or lead elsewhere a request that came then.</summary>
    private (string File, string Text) Change(int number) => (number % 6) switch
    {
        0 => ("policy.yaml", $$"""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: deny-all, namespace: istio-system}
            spec: {action: DENY, rules: [{to: [{operation: {notPaths: ["/none-{{number}}"]} }]}]}
            """),
        1 => ("route.yaml", $$"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: first, namespace: default}
            spec: {gateways: [httpbin-gateway], hosts: ["a"], http: [{directResponse: {status: {{200 + number}} } }]}
            """),
        2 => ("rule.yaml", $$"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: httpbin, namespace: default}
            spec:
              host: httpbin.default.svc.cluster.local
              trafficPolicy:
                connectionPool: {tcp: {maxConnections: 1, connectTimeout: {{number + 1}}s}, http: {http1MaxPendingRequests: 1, http2MaxRequests: 1} }
                outlierDetection: {consecutive5xxErrors: {{number + 1}} }
                {{(number % 4 == 0 ? "tls: {mode: SIMPLE}" : "loadBalancer: {consistentHash: {httpHeaderName: x} }")}}
            """),
        3 => ("keys.yaml", $$"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: jwt, namespace: istio-system}
            spec: {jwtRules: [{issuer: i, presence: REQUIRED, jwks: '{{new TokenIssuer("i").JwksJson}}'}]}
            """),
        4 => ("endpoints.yaml", Samples.Endpoints(_dead.Port + number)),
        _ => Certificate(),
    };

    private (string File, string Text) Certificate() => ("secret.yaml", TestAuthority.Secret("web", _authority.Issue("a")));

    private async Task<Exchange> OpenAsync(int port, bool isSecure, string head)
    {
        var socket = new TcpClient { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        Stream client = socket.GetStream();
        if (isSecure)
        {
            var secured = new SslStream(client, leaveInnerStreamOpen: false, (_, c, _, _) => c!.Issuer == "CN=Test CA");
            await secured.AuthenticateAsClientAsync("a").WaitAsync(PortcullisProcess.Patience);
            client = secured;
        }

        await SendAsync(client, head);
        var backend = await _backend.AcceptTcpClientAsync().WaitAsync(PortcullisProcess.Patience);
        await ReadUntilAsync(backend.GetStream(), "\r\n\r\n");
        return new Exchange(client, backend.GetStream());
    }

    private static async Task PassAsync(Stream from, Stream to, string data)
    {
        await SendAsync(from, data);
        await ReadUntilAsync(to, data);
    }

    private static async Task SendAsync(Stream stream, string text)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(text));
        await stream.FlushAsync();
    }

    private static async Task<string> ReadUntilAsync(Stream stream, string end)
    {
        using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
        var text = new StringBuilder();
        var one = new byte[1];
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            Assert.True(await stream.ReadAsync(one, patience.Token) == 1, $"closed after `{text}`, before `{end}`");
            text.Append((char)one[0]);
        }

        return text.ToString();
    }

    private static async Task<bool> EndsAsync(Stream stream)
    {
        using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
        try
        {
            return await stream.ReadAsync(new byte[1], patience.Token) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>Both ends of one request.</summary>
    private sealed class Exchange(Stream client, NetworkStream backend) : IDisposable
    {
        public Stream Client => client;

        public NetworkStream Backend => backend;

        public async Task AnswerAsync(string head, string expected)
        {
            await SendAsync(backend, head);
            Assert.StartsWith(expected, await ReadUntilAsync(client, "\r\n\r\n"), StringComparison.Ordinal);
        }

        public void Dispose()
        {
            client.Dispose();
            backend.Dispose();
        }
    }
}
