using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Smuggling;

/// <summary>
/// Requests that two readers of HTTP could read differently: the backend never sees one that the client did not mean, or that the policy was not asked about.
/// </summary>
public sealed partial class SmugglingTests : IAsyncLifetime
{
    private static readonly JsonElement[] Cases = [.. JsonElement.Parse(File.ReadAllText(
        Path.Combine(Repository.Root, "test", "Portcullis.FunctionalTests", "Smuggling", "smuggling.json"))).EnumerateArray()];

    private readonly StrictBackend _backend = new();
    private InProcessGateway? _gateway;

    public static TheoryData<string> Names => [.. Cases.Select(c => c.GetProperty("name").GetString()!)];

    public async ValueTask InitializeAsync() => _gateway = await InProcessGateway.StartAsync(_backend.Port, new InProcessOptions(), ("deny.yaml", """
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: deny, namespace: istio-system}
        spec: {action: DENY, rules: [{to: [{operation: {paths: [/denied]}}]}]}
        """));

    public async ValueTask DisposeAsync()
    {
        await _gateway!.DisposeAsync();
        await _backend.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Backend_AmbiguousRequest_SeesNothingOrExactlyWhatWasMeant(string name)
    {
        var @case = Cases.Single(c => c.GetProperty("name").GetString() == name);

        var statuses = await SendAsync(_gateway!.Port, Bytes(@case));

        // A second client's request on whatever connection the gateway keeps: it must get its own answer.
        var other = await RawHttp.GetAsync(_gateway.Port, "/other");
        Assert.Equal((200, "ok"), (other.Status, other.Body));
        var seen = _backend.TakeRequests();
        Assert.Empty(_backend.Ambiguities);
        Assert.Equal("GET /other HTTP/1.1", seen[^1].Line);
        seen = [.. seen.SkipLast(1)];
        Assert.Contains(string.Join(' ', statuses), @case.GetProperty("answers").EnumerateArray().Select(a => string.Join(' ', a.EnumerateArray())));
        var passed = statuses.Count(s => s == 200);
        Assert.Equal(List(@case, "targets").Take(passed), seen.Select(r => r.Line.Split(' ')[1]));
        AssertRequests(@case, seen);
    }

    [Fact]
    public async Task Client_ThatWaitsFor100Continue_IsToldToSendTheBody()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _gateway!.Port, TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        await stream.WriteAsync("POST /pub HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream, Encoding.Latin1);

        Assert.Equal("HTTP/1.1 100 Continue", await reader.ReadLineAsync(TestContext.Current.CancellationToken));
        await stream.WriteAsync("hi"u8.ToArray(), TestContext.Current.CancellationToken);

        Assert.Contains("HTTP/1.1 200 OK", await reader.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal("hi", Assert.Single(_backend.TakeRequests()).Body);
    }

    private static void AssertRequests(JsonElement @case, IReadOnlyList<BackendRequest> seen)
    {
        foreach (var (request, body) in seen.Zip(List(@case, "bodies")))
        {
            Assert.Equal(body, request.Body);
        }

        foreach (var request in seen)
        {
            var names = request.Headers.Select(h => h.Split(':')[0].ToLowerInvariant()).ToArray();
            Assert.All(List(@case, "absent"), n => Assert.DoesNotContain(n, names));
            Assert.All(List(@case, "present"), n => Assert.Contains(n, names));
        }
    }

    private static IEnumerable<string> List(JsonElement @case, string name) =>
        @case.TryGetProperty(name, out var list) ? list.EnumerateArray().Select(v => v.GetString()!) : [];

    private static byte[] Bytes(JsonElement @case) => Encoding.Latin1.GetBytes(
        @case.TryGetProperty("raw", out var raw) ? raw.GetString()! : string.Join("\r\n", List(@case, "send")));

    /// <summary>Sends everything, and reads the statuses of all answers until the gateway closes.</summary>
    private static async Task<List<int>> SendAsync(int port, byte[] bytes)
    {
        using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, patience.Token);
        var stream = client.GetStream();
        await stream.WriteAsync(bytes, patience.Token);
        using var received = new MemoryStream();
        try
        {
            await stream.CopyToAsync(received, patience.Token);
        }
        catch (IOException)
        {
            // Reset: what was received before it counts.
        }

        return [.. StatusLine().Matches(Encoding.Latin1.GetString(received.ToArray())).Select(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))];
    }

    [GeneratedRegex(@"HTTP/1\.1 ([2-5]\d\d)")]
    private static partial Regex StatusLine();
}
