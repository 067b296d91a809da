using Grpc.Core;
using Portcullis.FunctionalTests.Support;
using Portcullis.Gateway.ExternalAuthorization.Wire;
using Action = Portcullis.Gateway.ExternalAuthorization.Wire.HeaderValueOption.Types.HeaderAppendAction;
using Status = Portcullis.Gateway.ExternalAuthorization.Wire.Status;

namespace Portcullis.FunctionalTests.ExternalAuthorization;

/// <summary><c>envoyExtAuthzGrpc</c> against a real gRPC server (<c>envoy.service.auth.v3.Authorization</c>).</summary>
public sealed class GrpcAuthorizerTests(EchoBackend backend) : IClassFixture<EchoBackend>
{
    private static readonly CheckResponse Allowed = new() { Status = new Status() };

    [Fact]
    public async Task Check_CarriesTheWholeRequest()
    {
        await using var authorizer = await GrpcServer.StartAsync(Allowed);
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Grpc());

        var response = await RawHttp.SendAsync(
            gateway.Port,
            "PURGE",
            "/a/../b?q=1#f",
            "Host: shop.example",
            "X-Team: one",
            "x-team: two",
            "cookie: a=1",
            "cookie: b=2",
            "x-envoy-auth-partial-body: true");

        Assert.Equal(200, response.Status);
        var http = authorizer.Http;
        Assert.Equal(("PURGE", "/b?q=1", "shop.example", "http", "HTTP/1.1"), (http.Method, http.Path, http.Host, http.Scheme, http.Protocol));
        Assert.Equal(("", "", 0, "", 0), (http.Query, http.Fragment, http.Size, http.Body, http.RawBody.Length));
        Assert.Equal(EchoedRequest.Of(response).Lines("x-request-id").Single(), http.Id);
        Assert.Equal(http.Id, http.Headers["x-request-id"]);
        Assert.Equal(
            [
                ":authority=shop.example", ":method=PURGE", ":path=/b?q=1", ":scheme=http", "cookie=a=1; b=2", "x-envoy-external-address=127.0.0.1",
                "x-forwarded-for=127.0.0.1", "x-forwarded-proto=http", "x-team=one,two",
            ],
            http.Headers.Where(h => h.Key != "x-request-id").Select(h => $"{h.Key}={h.Value}").Order(StringComparer.Ordinal));
        var attributes = authorizer.Request.Attributes;
        Assert.Equal(("127.0.0.1", "127.0.0.1"), (attributes.Source.Address.SocketAddress.Address, attributes.Destination.Address.SocketAddress.Address));
        Assert.NotEqual(0u, attributes.Source.Address.SocketAddress.PortValue);
        Assert.Equal((uint)gateway.Port, attributes.Destination.Address.SocketAddress.PortValue);
        Assert.Equal("", attributes.Source.Principal);
        Assert.InRange(attributes.Request.Time.ToDateTimeOffset(), DateTimeOffset.UnixEpoch.AddYears(50), TimeProvider.System.GetUtcNow().AddMinutes(1));
        Assert.Equal("p.test:80", authorizer.Authority);
    }

    [Theory]
    [InlineData(false, "hell", "hell", "false", 4)]
    [InlineData(false, "hello, world", "hello, w", "true", 12)]
    [InlineData(false, "\u00c3\u00b6\u00ff!", "ö!!", "false", 4)] // ff is no UTF-8
    [InlineData(true, "\u00c3\u00b6\u00ff!", "\u00c3\u00b6\u00ff!", "false", 4)]
    public async Task Check_CarriesTheBodyAsTextOrBytes(bool packAsBytes, string sent, string seen, string isPartial, long size)
    {
        await using var authorizer = await GrpcServer.StartAsync(Allowed);
        await using var gateway = await Custom.StartAsync(
            backend.Port, authorizer.Port, Custom.Grpc($"includeRequestBodyInCheck: {{maxRequestBytes: 8, allowPartialMessage: true, packAsBytes: {(packAsBytes ? "true" : "false")}}}"));

        await RawHttp.SendTextAsync(gateway.Port, $"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {sent.Length}\r\nConnection: close\r\n\r\n{sent}");

        var http = authorizer.Http;
        Assert.Equal((packAsBytes ? "" : seen, isPartial, size), (http.Body, http.Headers["x-envoy-auth-partial-body"], http.Size));
        Assert.Equal(packAsBytes ? seen : "", System.Text.Encoding.Latin1.GetString(http.RawBody.Span));
    }

    [Fact]
    public async Task Allow_HonoursEveryChange()
    {
        await using var authorizer = await GrpcServer.StartAsync(new CheckResponse
        {
            Status = new Status(),
            OkResponse = new OkHttpResponse
            {
                Headers =
                {
                    Header("x-plain", "theirs"), Header("x-append", "theirs", append: true), Header("x-set", "theirs", append: false), Header("x-absent", "theirs", action: Action.AddIfAbsent),
                    Header("x-new", "ö", action: Action.AddIfAbsent), Header("x-over", "theirs", action: Action.OverwriteIfExists),
                    Header("x-nothing", "theirs", action: Action.OverwriteIfExists), Header("host", "evil"), Header(":path", "/evil"), Header(":authority", "evil"),
                    Header("content-length", "99"), Header("transfer-encoding", "chunked"), Header("connection", "x-set"),
                },
                HeadersToRemove = { "X-Gone", "host", ":method", "content-length" },
                ResponseHeadersToAdd = { Header("x-up", "ö"), Header("content-type", "text/theirs", append: false), Header("set-cookie", "a"), Header("set-cookie", "b"), Header("content-length", "1") },
                QueryParametersToSet = { new QueryParameter { Key = "user", Value = "ada & co" } },
                QueryParametersToRemove = { "token" },
            },
        });
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Grpc());

        var response = await RawHttp.GetAsync(
            gateway.Port, "/p?to%6ben=1&user=eve&a=%20&token=2&user=x", "Host: shop", "x-plain: mine", "x-append: mine", "x-set: mine", "x-absent: mine", "x-over: mine", "x-gone: mine");

        var request = EchoedRequest.Of(response);
        Assert.Equal("/p?user=ada%20%26%20co&a=%20", request.Target);
        Assert.Equal(
            ["x-absent: mine", "x-append: mine", "x-append: theirs", "x-new: Ã¶", "x-over: theirs", "x-plain: theirs", "x-set: theirs"],
            request.Headers.Where(h => h.Key.StartsWith("x-", StringComparison.OrdinalIgnoreCase) && !h.Key.StartsWith("x-forwarded", StringComparison.OrdinalIgnoreCase)
                && !h.Key.StartsWith("x-envoy", StringComparison.OrdinalIgnoreCase) && !h.Key.Equals("x-request-id", StringComparison.OrdinalIgnoreCase))
                .Select(h => $"{h.Key.ToLowerInvariant()}: {h.Value}").Order(StringComparer.Ordinal));
        Assert.Equal(["shop"], request.Lines("host"));
        Assert.Empty(request.Lines("content-length").Concat(request.Lines("transfer-encoding")));
        Assert.Equal(("Ã¶", "text/theirs"), (response.Header("x-up"), response.Header("content-type")));
        Assert.Equal(["a", "b"], response.Headers.Where(h => h.Key.Equals("set-cookie", StringComparison.OrdinalIgnoreCase)).Select(h => h.Value));
    }

    [Fact]
    public async Task Deny_WithoutMore_Is403()
    {
        await using var authorizer = await GrpcServer.StartAsync(new CheckResponse { Status = new Status { Code = 16 } });
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Grpc("failOpen: true, statusOnError: '500'"));

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal((403, ""), (response.Status, response.Body));
        Assert.Contains("\" 403 UAEX ext_authz_denied", Assert.Single(await gateway.StopAndReadAccessLogAsync()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, 401)]
    [InlineData(302, 302)]
    [InlineData(0, 403)]
    [InlineData(99, 403)]
    public async Task Deny_SaysWhatTheClientGets(int status, int expected)
    {
        await using var authorizer = await GrpcServer.StartAsync(new CheckResponse
        {
            Status = new Status { Code = 7 },
            DeniedResponse = new DeniedHttpResponse
            {
                Status = new HttpStatus { Code = status },
                Headers = { Header("location", "/login"), Header("set-cookie", "a"), Header("set-cookie", "b"), Header("content-length", "3"), Header("server", "theirs"), Header(":status", "200") },
                Body = "nö",
            },
        });
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Grpc());

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal((expected, "nÃ¶", "3", "/login", "portcullis"), (response.Status, response.Body, response.Header("content-length"), response.Header("location"), response.Header("server")));
        Assert.Equal(2, response.Headers.Count(h => h.Key.Equals("set-cookie", StringComparison.OrdinalIgnoreCase)));
    }

    [Fact]
    public async Task Answer_ThatContradictsItself_IsRefused()
    {
        await using var silent = await GrpcServer.StartAsync(new CheckResponse { DeniedResponse = new DeniedHttpResponse { Body = "no" } });
        await using var confused = await GrpcServer.StartAsync(new CheckResponse { Status = new Status { Code = 7 }, OkResponse = new OkHttpResponse() });
        await using var first = await Custom.StartAsync(backend.Port, silent.Port, Custom.Grpc());
        await using var second = await Custom.StartAsync(backend.Port, confused.Port, Custom.Grpc());

        Assert.Equal(403, (await RawHttp.GetAsync(first.Port, "/")).Status);
        Assert.Equal(403, (await RawHttp.GetAsync(second.Port, "/")).Status);
    }

    [Theory]
    [InlineData("x-bad", "line\r\nbreak")]
    [InlineData("x bad", "value")]
    [InlineData("x-bad", "nul\0")]
    public async Task Allow_WithAHeaderThatCannotBeWritten_IsRefusedEvenWithFailOpen(string name, string value)
    {
        await using var authorizer = await GrpcServer.StartAsync(new CheckResponse { Status = new Status(), OkResponse = new OkHttpResponse { Headers = { Header(name, value) } } });
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Grpc("failOpen: true"));

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal((500, ""), (response.Status, response.Body));
        Assert.Contains("ext_authz_invalid", Assert.Single(await gateway.StopAndReadAccessLogAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ErrorResponse_IsAnErrorWithItsOwnWords()
    {
        var answer = new CheckResponse
        {
            Status = new Status { Code = 13 },
            ErrorResponse = new DeniedHttpResponse { Status = new HttpStatus { Code = 503 }, Headers = { Header("retry-after", "5") }, Body = "later" },
        };
        await using var authorizer = await GrpcServer.StartAsync(answer);
        await using var closed = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Grpc());
        await using var open = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Grpc("failOpen: true"));

        var refused = await RawHttp.GetAsync(closed.Port, "/");

        Assert.Equal((503, "later", "5"), (refused.Status, refused.Body, refused.Header("retry-after")));
        Assert.Equal(200, (await RawHttp.GetAsync(open.Port, "/")).Status);
    }

    [Theory]
    [InlineData("", 403)]
    [InlineData("statusOnError: '503'", 503)]
    [InlineData("failOpen: true", 200)]
    public async Task RpcFailure_IsAnError(string fields, int expected)
    {
        await using var authorizer = await GrpcServer.StartAsync((_, _) => throw new RpcException(new global::Grpc.Core.Status(StatusCode.Unavailable, "not now")));
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Grpc(fields));

        Assert.Equal(expected, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
        Assert.Contains(gateway.Log.Lines, l => l.StartsWith("external authorizer p (p.test) failed: gRPC status Unavailable", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Timeout_IsAnErrorAndEndsTheCall()
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var authorizer = await GrpcServer.StartAsync(async (_, call) =>
        {
            await using var registration = call.CancellationToken.Register(() => cancelled.TrySetResult());
            await cancelled.Task;
            return Allowed;
        });
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Grpc("timeout: 0.2s"));

        Assert.Equal(403, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
        await cancelled.Task.WaitAsync(PortcullisProcess.Patience, TestContext.Current.CancellationToken);
        Assert.Equal(1, gateway.Log.Count("failed: no answer within 00:00:00.2000000"));
    }

    [Fact]
    public async Task ManyAtOnce_AndReloads_ShareTheConnection()
    {
        var peers = new System.Collections.Concurrent.ConcurrentDictionary<string, bool>();
        await using var authorizer = await GrpcServer.StartAsync((request, call) =>
        {
            peers[call.Peer] = true;
            return Task.FromResult(request.Attributes.Request.Http.Path == "/no" ? new CheckResponse { Status = new Status { Code = 7 } } : Allowed);
        });
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Grpc());
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/")).Status);

        var (file, text) = Custom.Policy("p", "[{to: [{operation: {methods: [GET]}}]}]");
        await gateway.ApplyAsync(file, text);
        var statuses = await Task.WhenAll(Enumerable.Range(0, 64).Select(async i => (await RawHttp.GetAsync(gateway.Port, i % 2 == 0 ? "/yes" : "/no")).Status));

        Assert.Equal(Enumerable.Range(0, 64).Select(i => i % 2 == 0 ? 200 : 403), statuses);
        Assert.Single(peers);
    }

    private static HeaderValueOption Header(string name, string value, bool? append = null, Action action = default) =>
        new() { Header = new HeaderValue { Key = name, Value = value }, Append = append, AppendAction = action };
}
