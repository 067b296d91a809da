using FsCheck.Xunit;
using Portcullis.Gateway.Forwarding;
using Portcullis.Routing;

namespace Portcullis.Gateway.Tests.Forwarding;

public sealed class UpstreamClusterTests
{
    [Fact]
    public void Pick_WithoutEndpoints_IsNone() => Assert.Null(Cluster(LoadBalancerKind.LeastRequest).Pick(null));

    [Theory]
    [InlineData(LoadBalancerKind.LeastRequest)]
    [InlineData(LoadBalancerKind.Random)]
    [InlineData(LoadBalancerKind.RoundRobin)]
    public void Pick_AfterAFailure_TakesAnotherEndpoint(LoadBalancerKind kind)
    {
        var (a, b) = (Endpoint("a"), Endpoint("b"));
        var cluster = new UpstreamCluster([a, b], [1, 1], kind);

        var others = Enumerable.Range(0, 50).Count(_ => ReferenceEquals(cluster.Pick(a), b));

        // Five further picks, as Envoy makes them: at random, one in 64 may still hit the same.
        Assert.True(others >= 40, $"only {others} of 50");
    }

    [Fact]
    public void Pick_OfTheOnlyEndpoint_IsThatAgain()
    {
        var only = Endpoint("a");

        Assert.Same(only, new UpstreamCluster([only], [1], LoadBalancerKind.LeastRequest).Pick(only));
    }

    [Fact]
    public void Pick_LeastRequest_OfTwo_TakesTheIdleOne()
    {
        var (busy, idle) = (Endpoint("busy"), Endpoint("idle"));
        busy.Begin();
        var cluster = new UpstreamCluster([busy, idle], [1, 1], LoadBalancerKind.LeastRequest);

        Assert.All(Enumerable.Range(0, 20), _ => Assert.Same(idle, cluster.Pick(null)));
    }

    [Fact]
    public void Pick_RoundRobin_HonoursWeights()
    {
        var (a, b) = (Endpoint("a"), Endpoint("b"));
        var cluster = new UpstreamCluster([a, b], [1, 3], LoadBalancerKind.RoundRobin);

        var picks = Enumerable.Range(0, 40).Select(_ => cluster.Pick(null)).ToArray();

        Assert.Equal((10, 30), (picks.Count(p => p == a), picks.Count(p => p == b)));
    }

    [Property(MaxTest = 200)]
    public void Pick_AlwaysFindsAnEndpointOfTheCluster(byte count, byte kind)
    {
        var endpoints = Enumerable.Range(0, (count % 6) + 1).Select(i => Endpoint($"e{i}")).ToArray();
        var cluster = new UpstreamCluster(endpoints, [.. endpoints.Select((_, i) => i + 1)], (LoadBalancerKind)(kind % 3));

        Assert.Contains(cluster.Pick(endpoints[0]), endpoints);
    }

    private static UpstreamCluster Cluster(LoadBalancerKind kind) => new([], [], kind);

    private static UpstreamEndpoint Endpoint(string name) => new(name, "http://" + name);
}
