using System.Text;
using Microsoft.AspNetCore.Http;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.ExternalAuthorization;

/// <summary>Every field of <c>envoyExtAuthzHttp</c> against a real authorizer (authorization.md §10).</summary>
public sealed class HttpAuthorizerTests(EchoBackend backend) : IClassFixture<EchoBackend>
{
    [Fact]
    public async Task Check_CarriesWhatTheProviderListsAndNothingElse()
    {
        await using var authorizer = await RecordingServer.StartAsync(200);
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Http(
            "pathPrefix: /check, includeRequestHeadersInCheck: [X-Team, 'x-a-*', '*-tail', te, content-length, x-forwarded-for], "
            + "includeAdditionalHeadersInCheck: {x-a-1: fixed, x-scheme: '%REQ(:scheme)%'}"));

        var response = await RawHttp.SendAsync(
            gateway.Port,
            "PURGE",
            "/a/../b//%63?q=1&r=%20#f",
            "Host: Shop.Example:8080",
            "Authorization: Bearer secret",
            "x-team: one",
            "X-Team: two",
            "x-a-1: client",
            "x-a-2: two",
            "my-tail: three",
            "x-other: not sent",
            "cookie: not=sent",
            "te: trailers",
            "x-envoy-auth-partial-body: true",
            "x-envoy-auth-headers-to-remove: authorization");

        Assert.Equal(200, response.Status);
        var check = authorizer.Request;
        Assert.Equal(("PURGE", "/check/b//c?q=1&r=%20"), (check.Method, check.Target));
        Assert.Equal(
            [
                "Authorization: Bearer secret", "Content-Length: 0", "Host: Shop.Example:8080", "my-tail: three", "x-a-1: fixed", "x-a-2: two",
                "x-forwarded-for: 127.0.0.1", "x-scheme: http", "x-team: one,two",
            ],
            check.Headers.Select(h => $"{h.Key}: {h.Value}").Order(StringComparer.OrdinalIgnoreCase), StringComparer.OrdinalIgnoreCase);
        var forwarded = EchoedRequest.Of(response);
        Assert.Equal(["one", "two"], forwarded.Lines("x-team"));
        Assert.Empty(forwarded.Lines("x-envoy-auth-partial-body"));
        Assert.Equal("Bearer secret", Assert.Single(forwarded.Lines("authorization")));
    }

    /// <summary>A client's Connection names headers of its own request, and takes away none that is set behind it.</summary>
    [Fact]
    public async Task Connection_ThatNamesAHeaderOfTheAuthorizer_DoesNotRemoveIt()
    {
        await using var authorizer = await RecordingServer.StartAsync(200, ("x-user", "ada"));
        await using var gateway = await Custom.StartAsync(
            backend.Port, authorizer.Port, Custom.Http("headersToUpstreamOnAllow: [x-user], includeRequestHeadersInCheck: [x-user, x-hop]"));

        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{gateway.Port}/")
        {
            Headers = { { "Connection", "x-user, x-hop" }, { "X-User", "mallory" }, { "X-Hop", "1" } },
        };
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        var upstream = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Contains("x-user: ada", upstream, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("mallory", upstream, StringComparison.Ordinal);
        Assert.DoesNotContain("x-hop", upstream, StringComparison.OrdinalIgnoreCase);
        Assert.Null(authorizer.Request.Header("x-hop"));
    }

    [Fact]
    public async Task Check_WithHeadersOfTheContent_CarriesThem()
    {
        await using var authorizer = await RecordingServer.StartAsync(200);
        await using var gateway = await Custom.StartAsync(
            backend.Port, authorizer.Port, Custom.Http("includeRequestHeadersInCheck: [content-type], includeAdditionalHeadersInCheck: {content-language: en}"));

        var response = await RawHttp.GetAsync(gateway.Port, "/", "Content-Type: application/json");

        Assert.Equal(200, response.Status);
        Assert.Equal(("application/json", "en"), (authorizer.Request.Header("content-type"), authorizer.Request.Header("content-language")));
    }

    [Fact]
    public async Task Check_DeprecatedListOfHeaders_CountsWhenTheOtherIsEmpty()
    {
        await using var authorizer = await RecordingServer.StartAsync(200);
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Http("includeHeadersInCheck: [x-old]"));

        await RawHttp.GetAsync(gateway.Port, "/", "x-old: yes", "x-new: no");

        Assert.Equal(("yes", null), (authorizer.Request.Header("x-old"), authorizer.Request.Header("x-new")));
    }

    [Fact]
    public async Task Allow_ChangesTheRequestAndTheResponseAsTheProviderLists()
    {
        await using var authorizer = await RecordingServer.StartAsync(
            200,
            ("x-user", "ada"),
            ("x-user", "löve"),
            ("x-unlisted", "no"),
            ("x-envoy-auth-headers-to-remove", "x-gone, Authorization,host"),
            ("x-envoy-auth-headers-to-remove", "x-gone-too,content-length,:path"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("content-type", "text/evil"));
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Http(
            "headersToUpstreamOnAllow: ['x-us*', host, transfer-encoding], headersToDownstreamOnAllow: [set-cookie, date]"));

        var response = await RawHttp.GetAsync(
            gateway.Port, "/", "Host: shop.example", "x-user: mallory", "x-unlisted: client's", "x-gone: 1", "x-gone-too: 2", "authorization: Basic eA==");

        var request = EchoedRequest.Of(response);
        Assert.Equal(["ada", "l\u00c3\u00b6ve"], request.Lines("x-user")); // UTF-8, read here byte by byte
        Assert.Equal(["client's"], request.Lines("x-unlisted"));
        Assert.Equal(["shop.example"], request.Lines("host"));
        Assert.Empty(request.Lines("x-gone").Concat(request.Lines("x-gone-too")).Concat(request.Lines("authorization")));
        Assert.Equal(["a=1", "b=2"], response.Headers.Where(h => h.Key.Equals("set-cookie", StringComparison.OrdinalIgnoreCase)).Select(h => h.Value));
        Assert.Equal("text/plain", response.Header("content-type"));
        Assert.NotNull(response.Header("date"));
    }

    [Theory]
    [InlineData(201)]
    [InlineData(204)]
    [InlineData(302)] // Z54
    [InlineData(304)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(499)]
    public async Task AnyStatusBut200And5xx_DeniesAndIsRelayed(int status)
    {
        await using var authorizer = await RecordingServer.StartAsync(async (http, _) =>
        {
            http.Response.StatusCode = status;
            http.Response.Headers.Location = "/login";
            http.Response.Headers.WWWAuthenticate = "Basic";
            http.Response.Headers.Append("set-cookie", "state=1");
            http.Response.Headers.Append("set-cookie", "more=2");
            http.Response.Headers["x-envoy-auth-headers-to-remove"] = "x";
            http.Response.Headers.Server = "theirs";
            http.Response.ContentType = "application/json";
            if (status is not (204 or 304))
            {
                await http.Response.WriteAsync("""{"no":"ö"}""");
            }
        });
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Http());

        var response = await RawHttp.GetAsync(gateway.Port, "/x");

        Assert.Equal((status, "/login", "Basic", "portcullis"), (response.Status, response.Header("location"), response.Header("www-authenticate"), response.Header("server")));
        Assert.Equal(2, response.Headers.Count(h => h.Key.Equals("set-cookie", StringComparison.OrdinalIgnoreCase)));
        Assert.Null(response.Header("x-envoy-auth-headers-to-remove"));
        Assert.Equal("application/json", response.Header("content-type"));
        Assert.Equal(status is 204 or 304 ? "" : """{"no":"ö"}""", Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(response.Body)));
        var line = Assert.Single(await gateway.StopAndReadAccessLogAsync());
        Assert.Contains($"\" {status} UAEX ext_authz_denied", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deny_WithAListOfHeaders_RelaysTheseAndWhatTheClientNeeds()
    {
        await using var authorizer = await RecordingServer.StartAsync(async (http, _) =>
        {
            http.Response.StatusCode = 401;
            http.Response.Headers.WWWAuthenticate = "Basic";
            http.Response.Headers["x-why"] = "because";
            http.Response.Headers["x-internal"] = "secret";
            http.Response.ContentType = "text/html";
            await http.Response.WriteAsync("<p>no");
        });
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Http("headersToDownstreamOnDeny: [X-Why]"));

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal((401, "<p>no", "5", "Basic"), (response.Status, response.Body, response.Header("content-length"), response.Header("www-authenticate")));
        Assert.Equal(("because", null, "text/plain"), (response.Header("x-why"), response.Header("x-internal"), response.Header("content-type")));
    }

    [Fact]
    public async Task Deny_HeadAndGrpc_AnswerInTheirForm()
    {
        await using var authorizer = await RecordingServer.StartAsync(async (http, request) =>
        {
            http.Response.StatusCode = 403;
            http.Response.Headers["x-why"] = "because";
            if (request.Method != "HEAD")
            {
                await http.Response.WriteAsync("not today");
            }
        });
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Http());

        var head = await RawHttp.HeadAsync(gateway.Port, "/");
        var grpc = await RawHttp.SendAsync(gateway.Port, "POST", "/svc/Method", "content-type: application/grpc", "content-length: 0");

        Assert.Equal((403, ""), (head.Status, head.Body));
        Assert.Equal((200, "7", "not today", "because"), (grpc.Status, grpc.Header("grpc-status"), grpc.Header("grpc-message"), grpc.Header("x-why")));
    }

    [Theory]
    [InlineData(500, "", 403)] // Z55
    [InlineData(503, "statusOnError: '503'", 503)]
    [InlineData(599, "statusOnError: '401'", 401)]
    public async Task ServerError_WithoutFailOpen_IsAnEmptyAnswerWithStatusOnError(int status, string fields, int expected)
    {
        await using var authorizer = await RecordingServer.StartAsync(async (http, _) =>
        {
            http.Response.StatusCode = status;
            await http.Response.WriteAsync("internal detail");
        });
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Http(fields));

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal((expected, "", "0"), (response.Status, response.Body, response.Header("content-length")));
        Assert.Contains($"\" {expected} UAEX ext_authz_error", Assert.Single(await gateway.StopAndReadAccessLogAsync()), StringComparison.Ordinal);
        Assert.Equal(1, gateway.Log.Count($"external authorizer p (p.test) failed: it answered {status}; requests are refused"));
    }

    [Fact]
    public async Task ServerError_WithFailOpen_GoesOnToTheOtherPolicies() // Z56
    {
        await using var authorizer = await RecordingServer.StartAsync(503, ("x-user", "ada"));
        await using var gateway = await Custom.StartAsync(
            backend.Port,
            authorizer.Port,
            Custom.Http("failOpen: true, headersToUpstreamOnAllow: [x-user]"),
            Custom.Other("DENY", "[{to: [{operation: {paths: [/denied]}}]}]"));

        var passed = await RawHttp.GetAsync(gateway.Port, "/");
        var denied = await RawHttp.GetAsync(gateway.Port, "/denied");

        Assert.Empty(EchoedRequest.Of(passed).Lines("x-user"));
        Assert.Equal((403, "RBAC: access denied"), (denied.Status, denied.Body));
    }

    [Fact]
    public async Task Redirect_IsNotFollowedAndCookiesAreNotKept()
    {
        await using var elsewhere = await RecordingServer.StartAsync(200);
        await using var authorizer = await RecordingServer.StartAsync(302, ("location", $"http://127.0.0.1:{elsewhere.Port}/"), ("set-cookie", "id=1; Path=/"));
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Http("includeRequestHeadersInCheck: [cookie]"));

        await RawHttp.GetAsync(gateway.Port, "/");
        await RawHttp.GetAsync(gateway.Port, "/", "cookie: a=1", "cookie: b=2");

        Assert.Empty(elsewhere.Requests);
        Assert.Equal([null, "a=1; b=2"], authorizer.Requests.Select(r => r.Header("cookie")));
    }
}
