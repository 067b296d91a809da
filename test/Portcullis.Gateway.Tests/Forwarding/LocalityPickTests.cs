using System.Net;
using Microsoft.Extensions.Time.Testing;
using Portcullis.Gateway.Forwarding;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.Tests.Forwarding;

public sealed class LocalityPickTests
{
    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(4, 4, 0, "100 0")]
    [InlineData(3, 4, 0, "100 0")] // 75 % of four: 105 % with the reserve
    [InlineData(2, 4, 0, "70 30")]
    [InlineData(1, 4, 0, "35 65")]
    [InlineData(0, 4, 0, "0 100")]
    [InlineData(1, 1, 0, "50 50")] // 35 % each, scaled to all of the traffic
    [InlineData(0, 1, 0, "0 100")]
    [InlineData(1, 4, 50, "35 65")] // together they carry everything: no panic
    public void Priorities_ShareByWhatTheyCanCarry(int healthyNear, int healthyFar, int least, string expected)
    {
        var (near, far) = (Endpoints("n", 4), Endpoints("f", 4));
        var cluster = Cluster([.. near, .. far], [(0, 1, near), (1, 1, far)], new() { MinHealthPercent = least });
        Eject(cluster, [.. near[healthyNear..], .. far[healthyFar..]]);

        var picks = Enumerable.Range(0, 100).Select(i => cluster.Pick(hash: (ulong)i)!).ToList();

        var share = picks.Count(near.Contains);
        Assert.Equal(expected, $"{share} {100 - share}");
        Assert.All(picks, p => Assert.DoesNotContain(p, near[healthyNear..].Concat(far[healthyFar..])));
    }

    [Fact]
    public void Priorities_NobodyHealthy_IsNone_UnlessTheClusterPanics()
    {
        var (near, far) = (Endpoints("n", 2), Endpoints("f", 2));
        var none = Cluster([.. near, .. far], [(0, 1, near), (1, 1, far)], new());
        Eject(none, [.. near, .. far]);

        Assert.Null(none.Pick());

        var panicking = Cluster([.. near, .. far], [(0, 1, near), (1, 1, far)], new() { MinHealthPercent = 50 });
        Eject(panicking, [.. near, .. far]);
        Assert.NotNull(panicking.Pick());
    }

    [Fact]
    public void Places_HaveTheirShare_AndLessOfIt_OnceTheyFail()
    {
        var (a, b) = (Endpoints("a", 2), Endpoints("b", 2));
        var cluster = Cluster([.. a, .. b], [(0, 80, a), (0, 20, b)], new());

        Assert.InRange(Share(), 0.75, 0.85);

        Eject(cluster, [a[0]]);
        Assert.InRange(Share(), 0.68, 0.79); // 80 × 0.7 against 20
        Eject(cluster, [a[1]]);
        Assert.Equal(0, Share());

        double Share() => Enumerable.Range(0, 2000).Count(_ => a.Contains(cluster.Pick())) / 2000.0;
    }

    [Fact]
    public void Pick_LeavesThePrioritiesOfWhatWasTried_WhileOthersCanServe()
    {
        var (near, far) = (Endpoints("n", 2), Endpoints("f", 2));
        var cluster = Cluster([.. near, .. far], [(0, 1, near), (1, 1, far)], new());

        Assert.All(Enumerable.Range(0, 20), _ => Assert.Contains(cluster.Pick(left: near), far));
        Assert.All(Enumerable.Range(0, 20), _ => Assert.Contains(cluster.Pick(left: [near[0], far[0]]), near));
    }

    [Fact]
    public async Task Table_PutsEndpointsIntoTheirGroups()
    {
        var cluster = new Cluster
        {
            Name = "c",
            Host = "c",
            Namespace = "n",
            Source = new ResourceId("ServiceEntry", "n", "c"),
            Port = 80,
            Endpoints = [Of("10.0.0.1", 1), Of("10.0.0.2", 0), Of("10.0.0.3", 1)],
            LocalityGroups = [new(0, 1), new(1, 2)],
        };
        var table = new UpstreamTable(UpstreamDirectory.Empty, [cluster]);

        var upstream = await table.ResolveAsync(cluster, TestContext.Current.CancellationToken);

        Assert.All(Enumerable.Range(0, 20), _ => Assert.Equal("10.0.0.2:80", upstream.Pick()!.Address));
        Assert.NotEqual("10.0.0.2:80", upstream.Pick(left: [upstream.Pick()!])!.Address);

        static ClusterEndpoint Of(string address, int group) => new() { Address = address, IPAddress = IPAddress.Parse(address), Port = 80, LocalityGroup = group };
    }

    private static UpstreamEndpoint[] Endpoints(string name, int count) => [.. Enumerable.Range(0, count).Select(i => new UpstreamEndpoint($"{name}{i}"))];

    private UpstreamCluster Cluster(UpstreamEndpoint[] all, (int Priority, int Weight, UpstreamEndpoint[] Endpoints)[] groups, OutlierPolicy outliers)
    {
        var policy = new ClusterPolicy { OutlierDetection = outliers with { MaxEjectionPercent = 100, Consecutive5xxErrors = 1, Interval = TimeSpan.FromSeconds(1) } };
        var state = new UpstreamClusterState(_time);
        var levels = groups.GroupBy(g => g.Priority).Select(level => new PriorityLevel(
            [.. level.Select(g => new EndpointPool(g.Endpoints, [.. g.Endpoints.Select(_ => 1)], policy, state, isAlone: false))], [.. level.Select(g => g.Weight)]));
        return new(all, [.. levels], policy, state);
    }

    private static void Eject(UpstreamCluster cluster, UpstreamEndpoint[] endpoints)
    {
        foreach (var endpoint in endpoints)
        {
            cluster.Report(endpoint, OutlierSignal.ServerError);
        }
    }
}
