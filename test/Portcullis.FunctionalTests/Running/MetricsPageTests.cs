using System.Text.RegularExpressions;
using Portcullis.FunctionalTests.Authentication;
using Portcullis.FunctionalTests.Support;
using Portcullis.Gateway.Tests.Jwks;

namespace Portcullis.FunctionalTests.Running;

/// <summary>What the gateway exports is what docs/reference/metrics.md lists, and the cache of verified tokens is counted in it.</summary>
public sealed partial class MetricsPageTests(EchoBackend backend) : IClassFixture<EchoBackend>
{
    private const string Issuer = "https://issuer.test";

    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "reference", "metrics.md"));

    [Fact]
    public async Task Scrape_AfterTokensOfEveryKind_ExportsWhatThePageLists()
    {
        var issuer = RemoteKeys.Issuer(Issuer, "known");
        await using var server = await KeyServer.StartAsync(issuer.Key);
        var options = RemoteKeys.Refreshing(RemoteKeys.Never) with
        {
            HasStats = true,
            Mesh = "extensionProviders: [{name: nobody, envoyExtAuthzHttp: {service: nobody.test, port: 80}}]",
        };
        await using var gateway = await InProcessGateway.StartAsync(
            backend.Port, options, RemoteKeys.Policy((Issuer, server.KeysUrl, "5s")), ("deny.yaml", """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: deny, namespace: istio-system}
                spec: {action: DENY, rules: [{to: [{operation: {paths: [/denied]}}]}]}
                """), ("dry-run.yaml", """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: dry-run, namespace: istio-system, annotations: {istio.io/dry-run: "true"}}
                spec: {action: DENY, rules: [{}]}
                """), ("ask.yaml", """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: ask, namespace: istio-system}
                spec: {action: CUSTOM, provider: {name: nobody}, rules: [{to: [{operation: {paths: [/ask]}}]}]}
                ---
                apiVersion: networking.istio.io/v1
                kind: ServiceEntry
                metadata: {name: nobody, namespace: default}
                spec: {hosts: [nobody.test], ports: [{number: 80, name: http, protocol: HTTP}], resolution: STATIC}
                """));
        var bearer = "Authorization: Bearer " + issuer.Mint("alice");
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/", bearer)).Status);
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/", bearer)).Status);
        Assert.Equal(403, (await RawHttp.GetAsync(gateway.Port, "/denied")).Status);
        Assert.Equal(403, (await RawHttp.GetAsync(gateway.Port, "/ask")).Status);
        Assert.Equal(401, (await RawHttp.GetAsync(gateway.Port, "/", "Authorization: Bearer " + RemoteKeys.Issuer(Issuer, "new").Mint("eve"))).Status);
        await server.WaitForRequestsAsync(2);

        var text = await gateway.StatisticsAsync();

        Assert.Matches(@"(?m)^portcullis_jwt_cache_hits_total\S* 1( |$)", text);
        Assert.Matches(@"(?m)^portcullis_jwt_cache_tokens\S* 1( |$)", text);
        var page = PageNames().Order().ToArray();
        var exported = Type().Matches(text).Select(m => m.Groups[1].Value).Where(n => n is not ("target_info" or "otel_scope_info")).Distinct().Order().ToArray();
        Assert.All(exported, n => Assert.Contains(n, page));

        // No configuration was refused, and none has problems: these two have no series yet.
        Assert.Equal(page.Except(["portcullis_configuration_refused_total", "portcullis_configuration_problems"]), exported.Except(["portcullis_configuration_problems"]));
    }

    /// <summary>The names of the first column; one that begins with an underscore goes on from the one before.</summary>
    private static IEnumerable<string> PageNames()
    {
        foreach (var row in Page.Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal)))
        {
            var first = "";
            foreach (var name in Name().Matches(row.Split('|')[1]).Select(m => m.Groups[1].Value))
            {
                yield return name.StartsWith('_') ? string.Concat(first.AsSpan(0, first.IndexOf("_hits", StringComparison.Ordinal)), name) : first = name;
            }
        }
    }

    [GeneratedRegex("`([a-z_]+)`")]
    private static partial Regex Name();

    [GeneratedRegex(@"(?m)^# TYPE (\S+) ")]
    private static partial Regex Type();
}
