using System.Globalization;
using Grpc.Core;
using Portcullis.FunctionalTests.Grpc.Wire;
using Portcullis.FunctionalTests.Support;
using Portcullis.FunctionalTests.Upstream;
using Portcullis.Jose;
using Portcullis.TestSupport;

namespace Portcullis.FunctionalTests.Grpc;

/// <summary>gRPC from a client through the gateway to a service: HTTP/2 in, HTTP/2 out.</summary>
public sealed class GrpcCallTests
{
    private static readonly byte[] Bytes = [0, 1, 0x80, 0xff];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Unary_MetadataAndTrailersPassBothWays_InClearAndOverTlsByAlpn(bool isSecure)
    {
        await using var setup = await GrpcSetup.StartAsync(
            new()
            {
                OnUnary = async (message, context) =>
                {
                    await context.WriteResponseHeadersAsync(new() { { "x-first", context.RequestHeaders.GetValue("x-text")! } });
                    context.ResponseTrailers.Add("x-last-bin", context.RequestHeaders.GetValueBytes("x-bytes-bin")!);
                    context.ResponseTrailers.Add("x-last", context.GetHttpContext().Request.Protocol);
                    return new Message { Text = message.Text + "!" };
                },
            },
            isSecure: isSecure);

        using var call = setup.Client.UnaryAsync(
            new Message { Text = "hello" }, new Metadata { { "x-text", "a b" }, { "x-bytes-bin", Bytes } }, cancellationToken: setup.Stop);

        Assert.Equal("a b", (await call.ResponseHeadersAsync).GetValue("x-first"));
        Assert.Equal("hello!", (await call).Text);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.Equal(Bytes, call.GetTrailers().GetValueBytes("x-last-bin"));
        Assert.Equal("HTTP/2", call.GetTrailers().GetValue("x-last"));
    }

    [Fact]
    public async Task Unary_LargeMessage_IsWholeBothWays()
    {
        await using var setup = await GrpcSetup.StartAsync(new());
        var text = new string('x', 3 * 1024 * 1024);

        var answer = await setup.Client.UnaryAsync(new Message { Text = text }, cancellationToken: setup.Stop);

        Assert.Equal(text, answer.Text);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Failure_StatusMessageAndDetailsReachTheClient_BeforeAndBehindMessages(bool comesLate)
    {
        await using var setup = await GrpcSetup.StartAsync(new()
        {
            OnExpand = async (message, answer, _) =>
            {
                if (comesLate)
                {
                    await answer.WriteAsync(message);
                }

                throw new RpcException(new Status(StatusCode.FailedPrecondition, "größer als 100%"), new Metadata { { "grpc-status-details-bin", Bytes } });
            },
        });

        using var call = setup.Client.Expand(new Message(), cancellationToken: setup.Stop);

        Assert.True(!comesLate || await call.ResponseStream.MoveNext(setup.Stop));
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(setup.Stop));
        Assert.Equal((StatusCode.FailedPrecondition, "größer als 100%"), (failure.StatusCode, failure.Status.Detail));
        Assert.Equal(Bytes, failure.Trailers.GetValueBytes("grpc-status-details-bin"));
        Assert.StartsWith("200 - via_upstream", Assert.Single(await setup.Gateway.StopAndReadAccessLogAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ClientStream_AllMessagesArrive()
    {
        await using var setup = await GrpcSetup.StartAsync(new());
        using var call = setup.Client.Collect(cancellationToken: setup.Stop);
        foreach (var number in Enumerable.Range(0, 100))
        {
            await call.RequestStream.WriteAsync(new Message { Text = $"{number}" }, setup.Stop);
        }

        await call.RequestStream.CompleteAsync();

        Assert.Equal(string.Join(',', Enumerable.Range(0, 100)), (await call).Text);
    }

    [Fact]
    public async Task ServerStream_EachMessageArrivesBeforeTheNextIsSent()
    {
        using var seen = new SemaphoreSlim(0);
        await using var setup = await GrpcSetup.StartAsync(new()
        {
            OnExpand = async (_, answer, context) =>
            {
                for (var i = 0; i < 5; i++)
                {
                    await answer.WriteAsync(new Message { Text = $"{i}" });
                    await seen.WaitAsync(context.CancellationToken);
                }
            },
        });

        using var call = setup.Client.Expand(new Message(), cancellationToken: setup.Stop);

        for (var i = 0; i < 5; i++)
        {
            Assert.True(await call.ResponseStream.MoveNext(setup.Stop));
            Assert.Equal($"{i}", call.ResponseStream.Current.Text);
            seen.Release();
        }

        Assert.False(await call.ResponseStream.MoveNext(setup.Stop));
    }

    [Theory]
    [InlineData("")]
    [InlineData("timeout: 60s")] // both keep a copy of the body to send it again, which must not hold it up
    [InlineData("retries: {attempts: 0}")]
    public async Task Bidirectional_EveryMessageIsAnsweredAtOnce(string rule)
    {
        await using var setup = await GrpcSetup.StartAsync(new(), rule);
        using var call = setup.Client.Chat(cancellationToken: setup.Stop);
        for (var i = 0; i < 20; i++)
        {
            await call.RequestStream.WriteAsync(new Message { Text = $"{i}" }, setup.Stop);
            Assert.True(await call.ResponseStream.MoveNext(setup.Stop));
            Assert.Equal($"{i}", call.ResponseStream.Current.Text);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(setup.Stop));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Deadline_ReachesTheService()
    {
        await using var setup = await GrpcSetup.StartAsync(new() { OnUnary = (_, context) => Task.FromResult(new Message { Text = $"{context.Deadline:O}" }) });
        var deadline = TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(1);

        var answer = await setup.Client.UnaryAsync(new Message(), deadline: deadline, cancellationToken: setup.Stop);

        var seen = DateTime.Parse(answer.Text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
        Assert.InRange(seen, deadline - TimeSpan.FromSeconds(1), deadline + PortcullisProcess.Patience);
    }

    [Fact]
    public async Task Deadline_IsTheClients_WhetherTheServiceHasSeenTheCallOrNot()
    {
        await using var setup = await GrpcSetup.StartAsync(new()
        {
            OnUnary = async (message, context) =>
            {
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
                return message;
            },
        });

        var deadline = TimeProvider.System.GetUtcNow().UtcDateTime.AddMilliseconds(300);
        var failure = await Assert.ThrowsAsync<RpcException>(() => setup.Client.UnaryAsync(new Message(), deadline: deadline, cancellationToken: setup.Stop).ResponseAsync);

        // Whose clock is first, the client's or the gateway's, is open; neither lets it wait any longer.
        Assert.Contains(failure.StatusCode, new[] { StatusCode.DeadlineExceeded, StatusCode.Unavailable });
    }

    [Theory]
    [InlineData(StatusCode.OK)]
    [InlineData(StatusCode.ResourceExhausted)]
    public async Task ServiceEndsTheCallWhileTheClientStreams_StatusAndTrailersReachTheClient(StatusCode status)
    {
        await using var setup = await GrpcSetup.StartAsync(new()
        {
            OnChat = async (messages, answer, context) =>
            {
                await messages.MoveNext(context.CancellationToken);
                await answer.WriteAsync(messages.Current);
                context.ResponseTrailers.Add("x-last", "that");
                context.Status = new Status(status, "enough");
            },
        });
        for (var i = 0; i < 20; i++)
        {
            using var call = setup.Client.Chat(cancellationToken: setup.Stop);
            await call.RequestStream.WriteAsync(new Message { Text = $"{i}" }, setup.Stop);
            Assert.True(await call.ResponseStream.MoveNext(setup.Stop));
            var writing = WriteUntilRefusedAsync(call.RequestStream, setup.Stop);
            var failure = await Record.ExceptionAsync(() => call.ResponseStream.MoveNext(setup.Stop));
            await writing;

            Assert.Equal(status == StatusCode.OK, failure is null);
            Assert.Equal((status, "enough"), (call.GetStatus().StatusCode, call.GetStatus().Detail));
            Assert.Equal("that", call.GetTrailers().GetValue("x-last"));
        }

        Assert.All(await setup.Gateway.StopAndReadAccessLogAsync(), l => Assert.StartsWith("200 - via_upstream", l, StringComparison.Ordinal));
    }

    private static async Task WriteUntilRefusedAsync(IClientStreamWriter<Message> messages, CancellationToken stop)
    {
        var message = new Message { Text = new string('x', 10_000) };
        try
        {
            while (true)
            {
                await messages.WriteAsync(message, stop);
            }
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException)
        {
            // The call is over.
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Stream_GoesOnOverReloadsOfItsDestinationRuleAndPolicies(bool isSecure)
    {
        await using var setup = await GrpcSetup.StartAsync(new(), isSecure: isSecure);
        using var call = setup.Client.Chat(cancellationToken: setup.Stop);
        for (var i = 0; i < 20; i++)
        {
            await call.RequestStream.WriteAsync(new Message { Text = $"{i}" }, setup.Stop);
            Assert.True(await call.ResponseStream.MoveNext(setup.Stop));
            Assert.Equal($"{i}", call.ResponseStream.Current.Text);
            using var dead = new DeadPort();
            await setup.Gateway.ApplyAsync("up.yaml", UpstreamGateway.Documents(
                [dead.Port],
                $"tls: {{mode: {(i % 2 == 0 ? "SIMPLE" : "DISABLE")}, sni: s{i}}}\nconnectionPool: {{http: {{http2MaxRequests: {i + 1}}} }}",
                portName: i % 4 == 3 ? "http" : "grpc",
                resources: "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: deny, namespace: istio-system}\nspec: {action: DENY, rules: [{}]}"));
            // What a reload has replaced, and nobody holds, may go.
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(setup.Stop));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task ClientCancels_TheServiceIsToldSo()
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var setup = await GrpcSetup.StartAsync(new()
        {
            OnChat = async (messages, answer, context) =>
            {
                using var registration = context.CancellationToken.Register(() => cancelled.TrySetResult());
                await messages.MoveNext(CancellationToken.None);
                await answer.WriteAsync(messages.Current);
                await cancelled.Task;
            },
        });
        using var stop = new CancellationTokenSource();
        using var call = setup.Client.Chat(cancellationToken: stop.Token);
        await call.RequestStream.WriteAsync(new Message { Text = "a" }, setup.Stop);
        Assert.True(await call.ResponseStream.MoveNext(setup.Stop));

        await stop.CancelAsync();

        await cancelled.Task.WaitAsync(setup.Stop);
        Assert.StartsWith("0 DC downstream_remote_disconnect", Assert.Single(await setup.Gateway.StopAndReadAccessLogAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ServiceBreaksOff_TheClientIsToldSo_AndTheNextCallWorks()
    {
        await using var setup = await GrpcSetup.StartAsync(new()
        {
            OnExpand = async (message, answer, context) =>
            {
                await answer.WriteAsync(message);
                context.GetHttpContext().Abort();
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            },
        });
        using var call = setup.Client.Expand(new Message { Text = "a" }, cancellationToken: setup.Stop);
        var failure = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext(setup.Stop))
            {
            }
        });

        Assert.NotEqual(StatusCode.OK, failure.StatusCode);
        Assert.Equal("b", (await setup.Client.UnaryAsync(new Message { Text = "b" }, cancellationToken: setup.Stop)).Text);
    }

    [Theory]
    [InlineData("", "authorization", "Bearer nonsense", StatusCode.Unauthenticated, "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections")]
    [InlineData("rules: [{to: [{operation: {paths: [/other]}}]}]", null, null, StatusCode.PermissionDenied, "RBAC: access denied")]
    [InlineData("rules: [{to: [{operation: {paths: [/portcullis.test.v1.Echo/Unary], methods: [POST]}}]}]", null, null, StatusCode.OK, "")]
    [InlineData("rules: [{from: [{source: {requestPrincipals: ['*']}}]}]", null, null, StatusCode.Unauthenticated, "Jwt is missing")]
    public async Task Refusal_IsAStatusOfGrpc(string policy, string? header, string? value, StatusCode status, string message)
    {
        await using var setup = await GrpcSetup.StartAsync(new(), resources: $$"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: jwt, namespace: istio-system}
            spec: {jwtRules: [{issuer: i, jwks: '{{new TokenIssuer("i", JwsAlgorithm.ES256).JwksJson}}'}]}
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: p, namespace: istio-system}
            spec: { {{(policy.Length == 0 ? "rules: [{}]" : policy)}} }
            """);
        using var call = setup.Client.UnaryAsync(
            new Message(), header is null ? [] : new Metadata { { header, value! } }, cancellationToken: setup.Stop);

        _ = await Record.ExceptionAsync(() => call.ResponseAsync);

        Assert.Equal((status, message), (call.GetStatus().StatusCode, call.GetStatus().Detail));
    }

    [Fact]
    public async Task NoRouteAndNoEndpoint_AreStatusesOfGrpc()
    {
        await using var setup = await GrpcSetup.StartAsync(new(), "match: [{uri: {prefix: /portcullis.test.v1.Echo/Unary}}]");
        using var call = setup.Client.Expand(new Message(), cancellationToken: setup.Stop);
        var unrouted = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(setup.Stop));
        await setup.Gateway.ApplyAsync("up.yaml", UpstreamGateway.Documents([], portName: "grpc"));
        var unserved = await Assert.ThrowsAsync<RpcException>(() => setup.Client.UnaryAsync(new Message(), cancellationToken: setup.Stop).ResponseAsync);

        Assert.Equal(StatusCode.Unimplemented, unrouted.StatusCode);
        Assert.Equal((StatusCode.Unavailable, "no healthy upstream"), (unserved.StatusCode, unserved.Status.Detail));
    }
}
