using FsCheck.Xunit;
using Microsoft.Extensions.Time.Testing;
using Portcullis.Gateway.Forwarding;
using Portcullis.Routing;

namespace Portcullis.Gateway.Tests.Forwarding;

public sealed class UpstreamClusterTests
{
    [Fact]
    public void Pick_WithoutEndpoints_IsNone() => Assert.Null(Cluster(LoadBalancerKind.LeastRequest).Pick());

    [Theory]
    [InlineData(LoadBalancerKind.LeastRequest)]
    [InlineData(LoadBalancerKind.Random)]
    [InlineData(LoadBalancerKind.RoundRobin)]
    public void Pick_AfterAFailure_TakesAnotherEndpoint(LoadBalancerKind kind)
    {
        var (a, b) = (Endpoint("a"), Endpoint("b"));
        var cluster = Cluster([a, b], [1, 1], kind);

        var others = Enumerable.Range(0, 50).Count(_ => ReferenceEquals(cluster.Pick([a]), b));

        // Five further picks, as Envoy makes them: at random, one in 64 may still hit the same.
        Assert.True(others >= 40, $"only {others} of 50");
    }

    [Fact]
    public void Pick_OfTheOnlyEndpoint_IsThatAgain()
    {
        var only = Endpoint("a");

        Assert.Same(only, Cluster([only], [1], LoadBalancerKind.LeastRequest).Pick([only]));
    }

    [Fact]
    public void Pick_LeastRequest_OfTwo_TakesTheIdleOne()
    {
        var (busy, idle) = (Endpoint("busy"), Endpoint("idle"));
        busy.Begin();
        var cluster = Cluster([busy, idle], [1, 1], LoadBalancerKind.LeastRequest);

        Assert.All(Enumerable.Range(0, 20), _ => Assert.Same(idle, cluster.Pick()));
    }

    [Fact]
    public void Pick_RoundRobin_HonoursWeights()
    {
        var (a, b) = (Endpoint("a"), Endpoint("b"));
        var cluster = Cluster([a, b], [1, 3], LoadBalancerKind.RoundRobin);

        var picks = Enumerable.Range(0, 40).Select(_ => cluster.Pick()).ToArray();

        Assert.Equal((10, 30), (picks.Count(p => p == a), picks.Count(p => p == b)));
    }

    [Property(MaxTest = 200)]
    public void Pick_AlwaysFindsAnEndpointOfTheCluster(byte count, byte kind)
    {
        var endpoints = Enumerable.Range(0, (count % 6) + 1).Select(i => Endpoint($"e{i}")).ToArray();
        var cluster = Cluster(endpoints, [.. endpoints.Select((_, i) => i + 1)], (LoadBalancerKind)(kind % 3));

        Assert.Contains(cluster.Pick([endpoints[0]]), endpoints);
    }

    [Theory]
    [InlineData(LoadBalancerKind.RingHash, 1024)]
    [InlineData(LoadBalancerKind.Maglev, 65537)]
    public void Pick_ByHash_IsTheSameEverywhere_FollowsWeights_AndMovesOnlyTheKeysOfWhatIsGone(LoadBalancerKind kind, int size)
    {
        var endpoints = Enumerable.Range(0, 5).Select(i => Endpoint($"10.0.0.{i}:80")).ToArray();
        var all = Hashing(endpoints, [1, 1, 1, 1, 4], kind, size);
        var fewer = Hashing(endpoints[1..], [1, 1, 1, 4], kind, size);
        var keys = Enumerable.Range(0, 4000).Select(i => StableHash.Of($"key-{i}")).ToArray();

        var picks = keys.Select(k => all.Pick(hash: k)!).ToArray();

        Assert.Equal(picks, keys.Select(k => Hashing(endpoints, [1, 1, 1, 1, 4], kind, size).Pick([picks[0]], k)!).Take(5).Concat(picks.Skip(5)));
        Assert.InRange(picks.Count(p => p == endpoints[4]) / 4000.0, 0.42, 0.58);
        var moved = keys.Zip(picks).Count(k => k.Second != endpoints[0] && fewer.Pick(hash: k.First) != k.Second);
        Assert.InRange(moved / 4000.0, 0, 0.1);
    }

    [Fact]
    public void Pick_ByHash_OfAnEjectedEndpoint_GoesToAnotherOne_AndComesBack()
    {
        var time = new FakeTimeProvider();
        var endpoints = Enumerable.Range(0, 3).Select(i => Endpoint($"10.0.0.{i}:80")).ToArray();
        var outliers = new OutlierPolicy { Consecutive5xxErrors = 1, MaxEjectionPercent = 100 };
        var cluster = new UpstreamCluster(
            endpoints,
            [1, 1, 1],
            new ClusterPolicy { OutlierDetection = outliers, LoadBalancer = new() { Kind = LoadBalancerKind.RingHash, Key = new(HashKeyKind.Header, "x"), HashTableSize = 1024 } },
            new UpstreamClusterState(time));
        var hash = StableHash.Of("key");
        var first = cluster.Pick(hash: hash)!;

        cluster.Report(first, OutlierSignal.ServerError);
        Assert.NotSame(first, cluster.Pick(hash: hash));

        time.Advance(TimeSpan.FromSeconds(30));
        Assert.Same(first, cluster.Pick(hash: hash));
    }

    [Theory]
    [InlineData(10, 1, 0.09, 0.33)]
    [InlineData(50, 1, 0.33, 0.33)]
    [InlineData(10, 2, 0.11, 0.41)] // √(1/60) and √½ of its own share
    public void Pick_WhileAnEndpointWarmsUp_GivesItLittle(double minimum, double aggression, double atFirst, double halfway)
    {
        var time = new FakeTimeProvider();
        var old = new UpstreamEndpoint("old", time.GetTimestamp());
        time.Advance(TimeSpan.FromMinutes(10));
        var young = new UpstreamEndpoint("young", time.GetTimestamp());
        var policy = new ClusterPolicy { LoadBalancer = new() { Kind = LoadBalancerKind.RoundRobin, Warmup = new(TimeSpan.FromSeconds(60), minimum, aggression) } };
        var cluster = new UpstreamCluster([old, young], [1, 1], policy, new UpstreamClusterState(time));

        Assert.InRange(Share(), atFirst - 0.03, atFirst + 0.03);
        time.Advance(TimeSpan.FromSeconds(30));
        Assert.InRange(Share(), halfway - 0.03, halfway + 0.03);
        time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(0.5, Share());

        double Share() => Enumerable.Range(0, 1000).Count(_ => cluster.Pick() == young) / 1000.0;
    }

    private static UpstreamCluster Hashing(UpstreamEndpoint[] endpoints, int[] weights, LoadBalancerKind kind, int size) => new(
        endpoints,
        weights,
        new ClusterPolicy { LoadBalancer = new() { Kind = kind, Key = new(HashKeyKind.Header, "x"), HashTableSize = size } },
        new UpstreamClusterState(TimeProvider.System));

    private static UpstreamCluster Cluster(LoadBalancerKind kind) => Cluster([], [], kind);

    private static UpstreamCluster Cluster(UpstreamEndpoint[] endpoints, int[] weights, LoadBalancerKind kind) =>
        new(endpoints, weights, new ClusterPolicy { LoadBalancer = new() { Kind = kind } }, new UpstreamClusterState(TimeProvider.System));

    private static UpstreamEndpoint Endpoint(string name) => new(name);
}
