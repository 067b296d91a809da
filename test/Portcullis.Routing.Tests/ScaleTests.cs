using System.Collections.Immutable;
using System.Diagnostics;
using Portcullis.Resources;
using Portcullis.Routing.Tests.Support;

namespace Portcullis.Routing.Tests;

public sealed class ScaleTests(ITestOutputHelper output)
{
    [Fact]
    public void Compile_TenThousandVirtualServices_EveryHostIsFound()
    {
        var resources = Resources(10_000);
        var set = new ResourceSet(resources, [], "");
        var problems = new List<Problem>();
        var snapshot = RoutingSnapshot.Empty;
        for (var run = 1; run <= 5; run++)
        {
            var processor = Environment.CpuUsage.TotalTime;
            var watch = Stopwatch.StartNew();
            snapshot = RoutingSnapshot.Compile(set, new(), MeshConfig.Default, PortMap.Default, problems);
            output.WriteLine($"run {run}: {watch.ElapsedMilliseconds} ms, {(Environment.CpuUsage.TotalTime - processor).TotalMilliseconds:F0} ms of processors");
        }

        Assert.Empty(problems);
        Assert.Equal(1_000, snapshot.Clusters.Count);
        var request = new TestRequest("/api/x", "h9999.example.com:80");
        var hosts = Assert.Single(snapshot.Listeners).Hosts;
        Assert.Equal("s999", hosts.Find(request.Authority)!.Match(in request)!.Forward!.Pick(0).Cluster!.Host.Split('.')[0]);
        Assert.Null(hosts.Find("other.example.com"));
    }

    private static List<Resource> Resources(int count)
    {
        var resources = new List<Resource>();
        resources.AddRange(ResourceReader.Read("gw.yaml", Compiled.Gateway).Resources);
        for (var i = 0; i < 1_000; i++)
        {
            var name = $"s{i}";
            resources.Add(new Service { ApiVersion = "v1", Kind = "Service", Metadata = Meta(name), Origin = new TestOrigin(i), Ports = [new() { Port = 80, Name = "http" }] });
            resources.Add(new EndpointSlice
            {
                ApiVersion = "discovery.k8s.io/v1",
                Kind = "EndpointSlice",
                Metadata = Meta(name) with { Labels = ImmutableDictionary<string, string>.Empty.Add(EndpointSlice.ServiceNameLabel, name) },
                Origin = new TestOrigin(i),
                Endpoints = [new() { Addresses = ["10.0.0.1"] }],
                Ports = [new("http", 8000, "TCP", null)],
            });
        }

        for (var i = 0; i < count; i++)
        {
            var destination = new Destination { Host = $"s{i % 1_000}" };
            resources.Add(new VirtualService
            {
                ApiVersion = "networking.istio.io/v1",
                Kind = "VirtualService",
                Metadata = Meta($"v{i}"),
                Origin = new TestOrigin(i),
                Hosts = [$"h{i}.example.com"],
                Gateways = ["istio-system/gw"],
                Http =
                [
                    new() { Match = [new() { Uri = new(StringMatchKind.Prefix, "/api") }], Route = [new() { Destination = destination }] },
                    new() { Match = [new() { Uri = new(StringMatchKind.Regex, "/v[0-9]+/.*") }], Route = [new() { Destination = destination }] },
                    new() { Route = [new() { Destination = destination }] },
                ],
            });
        }

        return resources;
    }

    private static ResourceMetadata Meta(string name) => new() { Name = name, Namespace = "default" };
}
