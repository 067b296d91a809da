using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.ExternalAuthorization;

/// <summary>Authorizers that hang, lie or are gone are errors: refused, or let through where the provider says so.</summary>
public sealed class MisbehaviourTests(EchoBackend backend) : IClassFixture<EchoBackend>
{
    public static TheoryData<string, string?> Answers => new()
    {
        { "closes at once", "" },
        { "is no HTTP", "\u0016\u0003\u0001 hello\r\n\r\n" },
        { "has endless headers", "HTTP/1.1 200 OK\r\n" + string.Concat(Enumerable.Repeat($"x-a: {new string('a', 1000)}\r\n", 200)) + "\r\n" },
        { "announces too much", "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" },
        { "sends too much", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + new string('x', 1_100_000) },
        { "breaks off", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf" },
        { "wants another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" },
        { "hangs", null },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task HttpAnswer_ThatCannotBeUsed_IsAnError(string what, string? answer)
    {
        using var authorizer = new RawServer(answer);
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Http("timeout: 0.5s, statusOnError: '503'"));
        await using var open = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Http("timeout: 0.5s, failOpen: true"));

        var refused = await RawHttp.GetAsync(gateway.Port, "/");
        var passed = await RawHttp.GetAsync(open.Port, "/");

        Assert.Equal((503, "", what), (refused.Status, refused.Body, what));
        Assert.Equal(200, passed.Status);
    }

    /// <summary>What is wrong with the rest of an answer that says no does not make it a yes.</summary>
    [Theory]
    [InlineData("HTTP/1.1 403 No\r\nContent-Length: 2000000\r\n\r\n", 403)]
    [InlineData("HTTP/1.1 401 No\r\nContent-Length: 10\r\n\r\nhalf", 401)]
    [InlineData("HTTP/1.1 700 Odd\r\nContent-Length: 0\r\n\r\n", 403)]
    public async Task HttpDenial_WithABodyThatCannotBeUsed_DeniesEvenWithFailOpen(string answer, int status)
    {
        using var authorizer = new RawServer(answer);
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Http("timeout: 5s, failOpen: true"));

        var refused = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal((status, ""), (refused.Status, refused.Body));
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task GrpcAnswer_ThatCannotBeUsed_IsAnError(string what, string? answer)
    {
        using var authorizer = new RawServer(answer);
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Grpc("timeout: 0.5s"));

        var refused = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal((403, "", what), (refused.Status, refused.Body, what));
    }

    [Fact]
    public async Task Authorizer_ThatGoesAwayAndReturns_IsAskedAgain()
    {
        await using var gateway = await StartOnDeadPortAsync(out var dead);

        Assert.Equal(403, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
        var port = dead.Port;
        dead.Dispose();
        await using (await RecordingServer.StartAsync((_, _) => Task.CompletedTask, port))
        {
            Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
        }

        Assert.Equal(403, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
        await using (await RecordingServer.StartAsync((_, _) => Task.CompletedTask, port))
        {
            Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
        }

        Assert.Equal(1, gateway.Log.Count("external authorizer p (p.test) failed: connection failed (ConnectionRefused)"));
    }

    [Fact]
    public async Task Authorizer_WithoutEndpoint_IsAnErrorAndNotAMisconfiguration()
    {
        await using var gateway = await InProcessGateway.StartAsync(
            backend.Port,
            new InProcessOptions { Mesh = Custom.Http("statusOnError: '503'") },
            Custom.Policy("p"),
            ("p.yaml", """
                apiVersion: networking.istio.io/v1
                kind: ServiceEntry
                metadata: {name: p, namespace: default}
                spec: {hosts: [p.test], ports: [{number: 80, name: http, protocol: HTTP}], resolution: STATIC}
                """));

        Assert.Equal(503, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
    }

    [Fact]
    public async Task Client_ThatLeavesDuringACheck_EndsTheCheck()
    {
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var authorizer = await RecordingServer.StartAsync(async (http, _) =>
        {
            await using var registration = http.RequestAborted.Register(left.SetResult);
            asked.SetResult();
            await left.Task;
        });
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Http());

        using (var client = new System.Net.Sockets.TcpClient("127.0.0.1", gateway.Port))
        {
            await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
            await asked.Task.WaitAsync(PortcullisProcess.Patience, TestContext.Current.CancellationToken);
        }

        await left.Task.WaitAsync(PortcullisProcess.Patience, TestContext.Current.CancellationToken);
    }

    private Task<InProcessGateway> StartOnDeadPortAsync(out DeadPort dead)
    {
        dead = new DeadPort();
        return Custom.StartAsync(backend.Port, dead.Port, Custom.Http());
    }
}
