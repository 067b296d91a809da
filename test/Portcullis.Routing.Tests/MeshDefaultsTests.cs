using Portcullis.Resources;
using Portcullis.Routing.Tests.Support;

namespace Portcullis.Routing.Tests;

/// <summary>What the mesh configuration says where nobody else does.</summary>
public sealed class MeshDefaultsTests
{
    private const string Route = "hosts: [foo.com]\nhttp: [{route: [{destination: {host: a}}]}]";

    [Fact]
    public void DefaultHttpRetryPolicy_CountsForRulesWithoutRetries()
    {
        const string Mesh = "defaultHttpRetryPolicy: {attempts: 5, retryOn: '503'}";

        Assert.Equal((5, "503"), Retry(Route));
        Assert.Equal((0, ""), Retry("hosts: [foo.com]\nhttp: [{retries: {attempts: 0}, route: [{destination: {host: a}}]}]"));

        static (int, string) Retry(string route)
        {
            var retry = Compile(Mesh, Compiled.Service("a"), Compiled.VirtualService(route)).Route(new("/", "foo.com"))!.Forward!.Retry;
            return (retry.Attempts, string.Join(',', retry.StatusCodes));
        }
    }

    [Theory]
    [InlineData("", 7, 3, 4)]
    [InlineData("connectionPool: {tcp: {maxConnections: 9}}", 9, 3, 4)]
    [InlineData("connectionPool: {tcp: {connectTimeout: 1s}}", int.MaxValue, 3, 1)] // the block as a whole is the rule's
    [InlineData("outlierDetection: {}", 7, 5, 4)]
    public void DefaultTrafficPolicy_FillsTheBlocksThatARuleHasNot(string policy, int connections, int errors, int seconds)
    {
        var cluster = Cluster(
            "connectTimeout: 4s\ndefaultTrafficPolicy: {connectionPool: {tcp: {maxConnections: 7}}, outlierDetection: {consecutive5xxErrors: 3}}", policy);

        Assert.Equal(
            (connections, errors, TimeSpan.FromSeconds(seconds)),
            (cluster.Policy.ConnectionPool.MaxConnections, cluster.Policy.OutlierDetection!.Consecutive5xxErrors, cluster.Policy.ConnectionPool.ConnectTimeout));
    }

    [Theory]
    [InlineData("UPGRADE", "", "http", UpstreamProtocol.Http2)]
    [InlineData("UPGRADE", "", "web", UpstreamProtocol.Http1)]
    [InlineData("UPGRADE", "connectionPool: {http: {h2UpgradePolicy: DO_NOT_UPGRADE}}", "http", UpstreamProtocol.Http1)]
    [InlineData("UPGRADE", "connectionPool: {http: {useClientProtocol: true}}", "http", UpstreamProtocol.SameAsClient)]
    [InlineData("DO_NOT_UPGRADE", "", "http", UpstreamProtocol.Http1)]
    [InlineData("DO_NOT_UPGRADE", "connectionPool: {http: {h2UpgradePolicy: UPGRADE}}", "web", UpstreamProtocol.Http2)]
    public void H2UpgradePolicy_UpgradesPortsThatSayHttp(string mesh, string policy, string port, UpstreamProtocol expected) =>
        Assert.Equal(expected, Cluster("h2UpgradePolicy: " + mesh, policy, port).Protocol);

    [Fact]
    public void IdleTimeout_OfTcp_CountsWhereHttpHasNone()
    {
        var pool = Cluster("{}", "connectionPool: {http: {idleTimeout: 6s}}").Policy.ConnectionPool;
        Assert.Equal((TimeSpan.FromSeconds(6), TimeSpan.FromHours(1)), (pool.IdleTimeout, pool.TcpIdleTimeout));
        Assert.Equal(TimeSpan.FromDays(100), Cluster("{}", "connectionPool: {tcp: {idleTimeout: 0s}}").Policy.ConnectionPool.TcpIdleTimeout);
        Assert.Equal(TimeSpan.FromSeconds(5), Cluster("{}", "connectionPool: {tcp: {idleTimeout: 5s}}").Policy.ConnectionPool.IdleTimeout);
        Assert.Equal(TimeSpan.FromSeconds(6), Cluster("{}", "connectionPool: {tcp: {idleTimeout: 5s}, http: {idleTimeout: 6s}}").Policy.ConnectionPool.IdleTimeout);
    }

    [Theory]
    [InlineData("{}", "a")]
    [InlineData("defaultVirtualServiceExportTo: [.]", "404")]
    [InlineData("defaultVirtualServiceExportTo: [istio-system]", "a")]
    [InlineData("defaultServiceExportTo: [.]", "NC")]
    [InlineData("defaultServiceExportTo: ['*']", "a")]
    public void DefaultExportTo_HidesWhatSaysNothing(string mesh, string expected) =>
        Assert.Equal(expected, Compile(mesh, Compiled.Service("a"), Compiled.VirtualService(Route)).Backend(new("/", "foo.com")));

    [Fact]
    public void DefaultExportTo_OfDestinationRules_HidesThem()
    {
        const string Policy = "connectionPool: {tcp: {maxConnections: 9}}";

        Assert.Equal(9, Cluster("{}", Policy).Policy.ConnectionPool.MaxConnections);
        Assert.Equal(int.MaxValue, Cluster("defaultDestinationRuleExportTo: [.]", Policy).Policy.ConnectionPool.MaxConnections);
    }

    private static Cluster Cluster(string mesh, string policy, string port = "http") => Assert.Single(Compile(
        mesh,
        Compiled.Service("a").Replace("name: http", "name: " + port, StringComparison.Ordinal),
        Compiled.VirtualService(Route),
        policy.Length == 0 ? "" : $"apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: a}}\nspec: {{host: a, trafficPolicy: {{{policy}}}}}").Snapshot.Clusters).Value;

    private static Compiled Compile(string mesh, params string[] documents)
    {
        var config = MeshConfigReader.Read("mesh.yaml", mesh);
        Assert.Empty(config.Problems);
        return Compiled.From(config.Config!, new(), PortMap.Default, [Compiled.Gateway, .. documents]);
    }
}
