using Microsoft.AspNetCore.Http;
using Portcullis.FunctionalTests.Support;
using Portcullis.TestSupport;

namespace Portcullis.FunctionalTests.ExternalAuthorization;

/// <summary>When an authorizer is asked, in which order, and what happens when it cannot be (authorization.md §3, §10, Z53–Z57).</summary>
public sealed class CustomPolicyTests(EchoBackend backend) : IClassFixture<EchoBackend>
{
    private const string OnlyC = "[{to: [{operation: {paths: [/c]}}]}]";
    private static readonly (int, string) Denied = (403, "RBAC: access denied");

    [Fact]
    public async Task UnknownProvider_DeniesWhatItsPolicyMatchesAndNothingElse() // Z53
    {
        await using var gateway = await StartAsync("{}", false, Custom.Policy("missing", OnlyC));

        Assert.Equal(Denied, await GetAsync(gateway, "/c"));
        Assert.Equal(Denied, await GetAsync(gateway, "//c")); // every reading of the path, as for DENY
        Assert.Equal(200, (await GetAsync(gateway, "/other")).Item1);
        await gateway.Log.WaitForAsync("the external authorizer `missing` cannot be asked: the mesh configuration has no such provider");
    }

    [Theory]
    [InlineData("service: nowhere.test, port: 80", "`nowhere.test` is no Service or ServiceEntry that the gateway sees")]
    [InlineData("service: other/p.test, port: 80", "namespace `other` has no Service or ServiceEntry `p.test`")]
    [InlineData("service: p.test, port: 81", "`p.test` has no port 81")]
    [InlineData("service: p.test, port: 80, failOpen: true, includeAdditionalHeadersInCheck: {host: x}", "the header `host` cannot be set on a check")]
    [InlineData("service: p.test, port: 80, includeAdditionalHeadersInCheck: {x: 100%}", "`%` starts a command that has no end")]
    public async Task Provider_ThatCannotBeAsked_DeniesAndSaysWhy(string fields, string reason)
    {
        await using var authorizer = await RecordingServer.StartAsync(200);
        var mesh = $"extensionProviders: [{{name: p, envoyExtAuthzHttp: {{{fields}}}}}]";
        await using var gateway = await StartAsync(mesh, false, Custom.Service("p", authorizer.Port), Custom.Policy("p", OnlyC));

        Assert.Equal(Denied, await GetAsync(gateway, "/c"));
        Assert.Equal(200, (await GetAsync(gateway, "/other")).Item1);
        Assert.Empty(authorizer.Requests);
        await gateway.Log.WaitForAsync(reason);
    }

    [Fact]
    public async Task Provider_ThatNeedsTls_IsNotAskedInClear()
    {
        await using var authorizer = await RecordingServer.StartAsync(200);
        await using var gateway = await StartAsync(Custom.Http(), false, Custom.Service("p", authorizer.Port), Custom.Policy("p"), ("rule.yaml", """
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: p, namespace: default}
            spec: {host: p.test, trafficPolicy: {tls: {mode: SIMPLE}}}
            """));

        Assert.Equal(Denied, await GetAsync(gateway, "/"));
        Assert.Empty(authorizer.Requests);
    }

    [Theory]
    [InlineData("p.test")]
    [InlineData("default/p.test")]
    [InlineData("authz.default.svc.cluster.local")]
    [InlineData("default/authz.default.svc.cluster.local")]
    [InlineData("named.test")]
    public async Task Provider_ByServiceOrServiceEntry_IsFound(string service)
    {
        await using var authorizer = await RecordingServer.StartAsync(418);
        var mesh = $"extensionProviders: [{{name: p, envoyExtAuthzHttp: {{service: {service}, port: 80}}}}]";
        await using var gateway = await StartAsync(mesh, false, Custom.Policy("p"), Custom.Service("p", authorizer.Port), ("services.yaml", $$"""
            apiVersion: v1
            kind: Service
            metadata: {name: authz, namespace: default}
            spec: {ports: [{name: http, port: 80, targetPort: 9000}]}
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: authz-1, namespace: default, labels: {kubernetes.io/service-name: authz} }
            addressType: IPv4
            endpoints: [{addresses: [127.0.0.1]}]
            ports: [{name: http, port: {{authorizer.Port}}, protocol: TCP}]
            ---
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: named, namespace: default}
            spec:
              hosts: [named.test]
              ports: [{number: 80, name: http, protocol: HTTP, targetPort: {{authorizer.Port}} }]
              resolution: DNS
              endpoints: [{address: localhost}]
            """));

        Assert.Equal(418, (await GetAsync(gateway, "/")).Item1);
    }

    [Fact]
    public async Task TwoProviders_WithTheSwitchOff_AreBothDeniedUnasked()
    {
        await using var authorizer = await RecordingServer.StartAsync(200);
        await using var gateway = await StartTwoAsync(authorizer.Port, authorizer.Port, allowsSeveral: false);

        Assert.Equal(Denied, await GetAsync(gateway, "/a"));
        Assert.Equal(Denied, await GetAsync(gateway, "/b"));
        Assert.Equal(200, (await GetAsync(gateway, "/other")).Item1);
        Assert.Empty(authorizer.Requests);
        await gateway.Log.WaitForAsync("name different providers (`p`, `p-b`), and only one is allowed; every request that the policy matches is denied");
        await gateway.Log.WaitForAsync("set PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS=true");
    }

    [Fact]
    public async Task TwoProviders_WithTheSwitchOn_AreAskedEachForItsOwnRulesInTheOrderOfNames()
    {
        var order = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using var first = await Named("p", ("x-from-p", "yes"));
        await using var second = await Named("p-b");
        await using var gateway = await StartTwoAsync(first.Port, second.Port, allowsSeveral: true);

        await GetAsync(gateway, "/b"); // `p` is a prefix of `p-b`, and must not be asked
        await GetAsync(gateway, "/a");
        await GetAsync(gateway, "/both");

        Assert.Equal(["p-b", "p", "p", "p-b"], order);
        Assert.Equal(["yes"], second.Requests.Last().Lines("x-from-p")); // the second sees what the first has changed

        Task<RecordingServer> Named(string name, params (string Name, string Value)[] headers) => RecordingServer.StartAsync((http, _) =>
        {
            order.Enqueue(name);
            foreach (var header in headers)
            {
                http.Response.Headers[header.Name] = header.Value;
            }

            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task Check_ComesBeforeTheTokenAndCannotReplaceIt()
    {
        var issuer = new TokenIssuer();
        await using var authorizer = await RecordingServer.StartAsync((http, request) =>
        {
            http.Response.StatusCode = request.Target == "/no" ? 418 : 200;
            return Task.CompletedTask;
        });
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Http(), ("jwt.yaml", $$"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: jwt, namespace: istio-system}
            spec: {jwtRules: [{issuer: "{{issuer.Issuer}}", jwks: '{{issuer.JwksJson}}'}]}
            """));

        Assert.Equal(418, (await RawHttp.GetAsync(gateway.Port, "/no", "Authorization: Bearer nonsense")).Status);
        Assert.Equal(401, (await RawHttp.GetAsync(gateway.Port, "/yes", "Authorization: Bearer nonsense")).Status);
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/yes")).Status);
    }

    [Theory]
    [InlineData("DENY", "[{}]")] // Z57
    [InlineData("ALLOW", "[{to: [{operation: {paths: [/else]}}]}]")]
    public async Task PositiveAnswer_NeverGetsPastDenyOrAllow(string action, string rules)
    {
        await using var authorizer = await RecordingServer.StartAsync(200, ("x-seen", "yes"));
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Http("headersToDownstreamOnAllow: [x-seen]"), Custom.Other(action, rules));

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal((403, "RBAC: access denied", "yes"), (response.Status, response.Body, response.Header("x-seen")));
    }

    [Fact]
    public async Task Answer_ChangesWhatLaterPoliciesSee()
    {
        await using var authorizer = await RecordingServer.StartAsync(200, ("x-role", "admin"));
        await using var gateway = await Custom.StartAsync(
            backend.Port, authorizer.Port, Custom.Http("headersToUpstreamOnAllow: [x-role]"), Custom.Other("ALLOW", "[{when: [{key: 'request.headers[x-role]', values: [admin]}]}]"));

        Assert.Equal(200, (await GetAsync(gateway, "/")).Item1);
    }

    [Fact]
    public async Task Preflight_IsAskedAboutToo()
    {
        await using var authorizer = await RecordingServer.StartAsync(401);
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Http());

        var response = await RawHttp.SendAsync(gateway.Port, "OPTIONS", "/", "Origin: https://a.example", "Access-Control-Request-Method: POST");

        Assert.Equal((401, "OPTIONS"), (response.Status, authorizer.Request.Method));
    }

    [Fact]
    public async Task Refusal_HasADecisionIdWhoseExplanationNamesTheAuthorizer()
    {
        await using var authorizer = await RecordingServer.StartAsync(401);
        await using var gateway = await InProcessGateway.StartAsync(
            backend.Port, new InProcessOptions { Mesh = Custom.Http(), DecisionCapacity = 10 }, Custom.Service("p", authorizer.Port), Custom.Policy("p"));

        var id = (await RawHttp.GetAsync(gateway.Port, "/")).Header("x-portcullis-decision-id");
        var explained = (await RawHttp.GetAsync(gateway.AdminPort, $"/decisions/{id}")).Body;

        Assert.NotNull(id);
        Assert.Contains("it was refused with 401 (refused by the external authorizer of ns[istio-system]-policy[ask]-rule[0]); the explanation is for the case that the authorizer allows", explained, StringComparison.Ordinal);
        Assert.Contains("\"externalChecks\": [", explained, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DryRun_HasNoEffect()
    {
        await using var authorizer = await RecordingServer.StartAsync(403);
        await using var gateway = await StartAsync(
            Custom.Http(), false, Custom.Service("p", authorizer.Port), Custom.Policy("p", annotations: "{istio.io/dry-run: 'true'}"), Custom.Policy("other", annotations: "{istio.io/dry-run: 'true'}", name: "b"));

        Assert.Equal(200, (await GetAsync(gateway, "/")).Item1);
        Assert.Empty(authorizer.Requests);
        Assert.Equal(0, gateway.Log.Count("cannot be asked"));
    }

    [Fact]
    public async Task ManyAtOnce_EachGetsItsOwnAnswer()
    {
        const int Clients = 64;
        var together = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiting = 0;
        await using var authorizer = await RecordingServer.StartAsync(async (http, request) =>
        {
            if (Interlocked.Increment(ref waiting) == Clients)
            {
                together.SetResult();
            }

            await together.Task.WaitAsync(PortcullisProcess.Patience);
            var number = int.Parse(request.Target.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture);
            http.Response.StatusCode = number % 2 == 0 ? 200 : 403;
            await http.Response.WriteAsync(request.Target);
        });
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Http());

        var responses = await Task.WhenAll(Enumerable.Range(0, Clients).Select(i => RawHttp.GetAsync(gateway.Port, $"/{i}")));

        Assert.All(responses.Index(), r => Assert.Equal(
            r.Index % 2 == 0 ? (200, $"GET /{r.Index} HTTP/1.1") : (403, $"/{r.Index}"),
            (r.Item.Status, r.Item.Body.Split('\r')[0])));
    }

    [Fact]
    public async Task Checks_AreCountedByProviderAndOutcome()
    {
        await using var authorizer = await RecordingServer.StartAsync((http, request) =>
        {
            http.Response.StatusCode = int.Parse(request.Target.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture);
            return Task.CompletedTask;
        });
        var mesh = $"extensionProviders: [{Custom.Provider("metered", "envoyExtAuthzHttp", "failOpen: true")}]";
        await using var gateway = await InProcessGateway.StartAsync(
            backend.Port, new InProcessOptions { Mesh = mesh, HasStats = true }, Custom.Service("metered", authorizer.Port), Custom.Policy("metered"));
        foreach (var status in new[] { 200, 401, 403, 500 })
        {
            await RawHttp.GetAsync(gateway.Port, $"/{status}");
        }

        var metrics = await gateway.StatisticsAsync();

        Assert.Matches("""(?m)^portcullis_ext_authz_checks_total\{[^}]*outcome="ok",provider="metered"[^}]*\} 1( |$)""", metrics);
        Assert.Matches("""(?m)^portcullis_ext_authz_checks_total\{[^}]*outcome="denied",provider="metered"[^}]*\} 2( |$)""", metrics);
        Assert.Matches("""(?m)^portcullis_ext_authz_checks_total\{[^}]*outcome="failure_mode_allowed",provider="metered"[^}]*\} 1( |$)""", metrics);
        Assert.Matches("""(?m)^portcullis_ext_authz_check_duration_milliseconds_count\{[^}]*provider="metered"[^}]*\} 4( |$)""", metrics);
    }

    [Fact]
    public async Task Reload_DuringACheck_LetsItFinishOnTheOldConfiguration()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var authorizer = await RecordingServer.StartAsync(async (http, _) =>
        {
            asked.TrySetResult();
            await answer.Task.WaitAsync(PortcullisProcess.Patience);
            http.Response.StatusCode = 418;
        });
        await using var gateway = await Custom.StartAsync(backend.Port, authorizer.Port, Custom.Http());
        var pending = RawHttp.GetAsync(gateway.Port, "/");
        await asked.Task.WaitAsync(PortcullisProcess.Patience, TestContext.Current.CancellationToken);

        var (file, text) = Custom.Policy("p", OnlyC);
        await gateway.ApplyAsync(file, text);
        Assert.Equal(200, (await GetAsync(gateway, "/")).Item1);
        answer.SetResult();

        Assert.Equal(418, (await pending).Status);
    }

    private static async Task<(int, string)> GetAsync(InProcessGateway gateway, string target)
    {
        var response = await RawHttp.GetAsync(gateway.Port, target);
        return (response.Status, response.Body);
    }

    private Task<InProcessGateway> StartAsync(string mesh, bool allowsSeveral, params IEnumerable<(string File, string Text)> resources) =>
        InProcessGateway.StartAsync(backend.Port, new InProcessOptions { Mesh = mesh, AllowsSeveralAuthorizers = allowsSeveral }, resources);

    private Task<InProcessGateway> StartTwoAsync(int first, int second, bool allowsSeveral) => StartAsync(
        $"extensionProviders: [{Custom.Provider("p-b", "envoyExtAuthzHttp", "includeRequestHeadersInCheck: [x-from-p]")}, {Custom.Provider("p", "envoyExtAuthzHttp", "headersToUpstreamOnAllow: [x-from-p]")}]",
        allowsSeveral,
        Custom.Service("p", first),
        Custom.Service("p-b", second),
        Custom.Policy("p", "[{to: [{operation: {paths: [/a, /both]}}]}]", "z"),
        Custom.Policy("p-b", "[{to: [{operation: {paths: [/b, /both]}}]}]", "a"));
}
