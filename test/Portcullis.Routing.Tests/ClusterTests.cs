using Portcullis.Resources;
using Portcullis.Routing.Tests.Support;

namespace Portcullis.Routing.Tests;

public sealed class ClusterTests
{
    private const string Slice = """
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: s-1, namespace: default, labels: {kubernetes.io/service-name: s}}
        addressType: IPv4
        endpoints:
        - {addresses: [10.0.0.1], zone: z1}
        - {addresses: [10.0.0.2], conditions: {ready: false}}
        - {addresses: [10.0.0.3], conditions: {ready: true, terminating: true}}
        - {addresses: [10.0.0.1]}
        ports: [{name: http, port: 9000}, {name: admin, port: 9001}]
        """;

    [Theory]
    [InlineData("name: http", "10.0.0.1:9000")]
    [InlineData("name: admin", "10.0.0.1:9001")]
    [InlineData("name: other", "")]
    public void Endpoints_OfSlices_AreTheReadyOnesOnThePortOfThatName(string port, string expected) =>
        Assert.Equal(expected, Endpoints(Cluster(Service(port), Slice)));

    [Fact]
    public void Endpoints_NotReadyButPublished_AreUsedUnlessTheyTerminate() =>
        Assert.Equal("10.0.0.1:9000,10.0.0.2:9000", Endpoints(Cluster(Service("name: http", "publishNotReadyAddresses: true, "), Slice)));

    [Fact]
    public void Endpoints_OlderForm_CountsWhenThereIsNoSlice()
    {
        const string Older = """
            apiVersion: v1
            kind: Endpoints
            metadata: {name: s, namespace: default}
            subsets: [{addresses: [{ip: 10.9.0.1}], notReadyAddresses: [{ip: 10.9.0.2}], ports: [{name: http, port: 7000}]}]
            """;

        Assert.Equal("10.9.0.1:7000", Endpoints(Cluster(Service("name: http"), Older)));
        Assert.Equal("10.0.0.1:9000", Endpoints(Cluster(Service("name: http"), Older, Slice)));
    }

    [Theory]
    [InlineData("name: http", UpstreamProtocol.Http1)]
    [InlineData("name: http2-x", UpstreamProtocol.Http2)]
    [InlineData("name: grpc", UpstreamProtocol.Http2)]
    [InlineData("name: grpc-web-x", UpstreamProtocol.Http2)]
    [InlineData("name: https", UpstreamProtocol.Http1)]
    [InlineData("name: web", UpstreamProtocol.Http1)]
    [InlineData("name: grpc, appProtocol: http", UpstreamProtocol.Http1)]
    [InlineData("name: http, appProtocol: kubernetes.io/h2c", UpstreamProtocol.Http2)]
    [InlineData("name: http, appProtocol: kubernetes.io/ws", UpstreamProtocol.Http1)]
    public void Protocol_AppProtocolThenPortName_Decides(string port, UpstreamProtocol expected) => Assert.Equal(expected, Cluster(Service(port)).Protocol);

    [Theory]
    [InlineData("connectionPool: {http: {h2UpgradePolicy: UPGRADE}}", UpstreamProtocol.Http2)]
    [InlineData("connectionPool: {http: {useClientProtocol: true}}", UpstreamProtocol.SameAsClient)]
    public void Protocol_DestinationRule_Overrides(string policy, UpstreamProtocol expected) =>
        Assert.Equal(expected, Cluster(Service("name: http"), Rule($"{{host: s, trafficPolicy: {{{policy}}}}}")).Protocol);

    [Fact]
    public void ExternalName_UnknownTarget_IsResolvedByDns()
    {
        var cluster = Cluster("""
            apiVersion: v1
            kind: Service
            metadata: {name: s, namespace: default}
            spec: {type: ExternalName, externalName: Api.Example.com}
            """);

        Assert.Equal((ClusterResolution.Dns, "outbound|80||api.example.com", "api.example.com:80"), (cluster.Resolution, cluster.Name, Endpoints(cluster)));
        Assert.Null(cluster.Endpoints[0].IPAddress);
    }

    [Fact]
    public void ExternalName_KnownTarget_IsThatService()
    {
        var cluster = Cluster(
            """
            apiVersion: v1
            kind: Service
            metadata: {name: s, namespace: default}
            spec: {type: ExternalName, externalName: t.prod.svc.cluster.local}
            """,
            Compiled.Service("t", "prod"));

        Assert.Equal(("t.prod.svc.cluster.local", "prod", "10.0.0.1:8000"), (cluster.Host, cluster.Namespace, Endpoints(cluster)));
    }

    [Fact]
    public void ExternalName_ThatPointsAtItself_IsUnknown()
    {
        var compiled = Of("""
            apiVersion: v1
            kind: Service
            metadata: {name: s, namespace: default}
            spec: {type: ExternalName, externalName: s.default.svc.cluster.local}
            """);

        Assert.Equal("NC", compiled.Backend(new("/")));
        Assert.Equal(ProblemCodes.DanglingReference, Assert.Single(compiled.Problems).Code);
    }

    [Theory]
    [InlineData("resolution: DNS, endpoints: [{address: b.example.com, ports: {web: 81}, weight: 3}]", ClusterResolution.Dns, "b.example.com:81")]
    [InlineData("resolution: DNS", ClusterResolution.Dns, "ext.com:90")]
    [InlineData("resolution: DNS_ROUND_ROBIN", ClusterResolution.DnsRoundRobin, "ext.com:90")]
    [InlineData("resolution: STATIC, endpoints: [{address: 10.2.0.1}]", ClusterResolution.Static, "10.2.0.1:90")]
    [InlineData("resolution: STATIC, workloadSelector: {labels: {app: vm}}", ClusterResolution.Static, "10.3.0.1:9090")]
    [InlineData("resolution: NONE", ClusterResolution.Static, "")]
    public void ServiceEntry_EveryResolution_GivesItsEndpoints(string spec, ClusterResolution resolution, string expected)
    {
        var cluster = Resolve("ext.com", $$"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: ext, namespace: default}
            spec: {hosts: [ext.com], ports: [{number: 80, name: web, protocol: GRPC, targetPort: 90}], {{spec}} }
            """,
            WorkloadEntry("vm1", "default", "10.3.0.1"), WorkloadEntry("vm2", "other", "10.3.0.2"));

        Assert.Equal((resolution, UpstreamProtocol.Http2, expected), (cluster!.Resolution, cluster.Protocol, Endpoints(cluster)));
    }

    [Fact]
    public void Service_SelectorThatFitsAWorkloadEntry_HasItAsEndpoint() => Assert.Equal(
        "10.0.0.1:9000,10.3.0.1:8000",
        Endpoints(Cluster(Service("name: http, targetPort: 8000", "selector: {app: vm}, "), Slice, WorkloadEntry("vm1", "default", "10.3.0.1"))));

    [Theory]
    [InlineData("networking.istio.io/exportTo: .", false)]
    [InlineData("networking.istio.io/exportTo: \"other,istio-system\"", true)]
    [InlineData("networking.istio.io/exportTo: \"*\"", true)]
    public void Service_NotExportedToTheGateway_IsUnknown(string annotation, bool known)
    {
        var service = Service("name: http").Replace("namespace: default", $"namespace: default, annotations: {{{annotation}}}", StringComparison.Ordinal);

        Assert.Equal(known, Of(service).Route(new("/"))!.Forward!.Destinations[0].Cluster is not null);
    }

    [Fact]
    public void Resolve_OneHostInTwoNamespaces_PrefersTheVirtualServices()
    {
        Assert.Equal("default", Resolve("ext.com", Entry("other"), Entry("default"))!.Namespace);
        Assert.Equal("other", Resolve("ext.com", Entry("other"), Entry("third"))!.Namespace);

        static string Entry(string ns) => $$"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: ext, namespace: {{ns}} }
            spec: {hosts: [ext.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}
            """;
    }

    [Fact]
    public void DestinationRule_LevelsAndWildcards_TheFirstLevelWithAMatchWins()
    {
        Assert.Equal(1, Connections(Service("name: http"), Pool("default", "\"*.cluster.local\"", 1), Pool("istio-system", "s.default.svc.cluster.local", 2)));
        Assert.Equal(2, Connections(Service("name: http"), Pool("default", "other", 1), Pool("istio-system", "\"*.cluster.local\"", 2)));
        Assert.Equal(3, Connections(Service("name: http"), Pool("default", "\"*.cluster.local\"", 1), Pool("default", "\"*.default.svc.cluster.local\"", 3)));
        Assert.Equal(4, Connections(Service("name: http"), Pool("default", "s", 1), Pool("istio-system", "s.default.svc.cluster.local", 4, "exportTo: [\".\"], ")));
        Assert.Equal(1, Connections(Service("name: http"), Pool("default", "s", 1), Pool("default", "s", 5)));
        Assert.Equal(int.MaxValue, Connections(Service("name: http"), Pool("default", "s", 1, "exportTo: [\".\"], ")));

        static int Connections(params string[] documents) => Cluster(documents).Policy.ConnectionPool.MaxConnections;

        static string Pool(string ns, string host, int connections, string more = "") =>
            Rule($"{{{more}host: {host}, trafficPolicy: {{connectionPool: {{tcp: {{maxConnections: {connections}}}}}}}}}", ns, $"r{connections}");
    }

    [Fact]
    public void DestinationRule_PortSettings_ReplaceAndSubsetsOverlay()
    {
        const string Spec = """
            {host: s,
             trafficPolicy: {loadBalancer: {simple: RANDOM}, connectionPool: {tcp: {maxConnections: 7}},
                             portLevelSettings: [{port: {number: 81}, outlierDetection: {consecutive5xxErrors: 2}}]},
             subsets: [{name: v1, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}]}
            """;
        const string TwoPorts = """
            apiVersion: v1
            kind: Service
            metadata: {name: s, namespace: default}
            spec: {ports: [{name: http, port: 80}, {name: http-2, port: 81}]}
            """;
        var top = PolicyOf("host: s, port: {number: 80}");
        var subset = PolicyOf("host: s, subset: v1, port: {number: 80}");
        var port = PolicyOf("host: s, port: {number: 81}");

        Assert.Equal((LoadBalancerKind.Random, 7), (top.LoadBalancer.Kind, top.ConnectionPool.MaxConnections));
        Assert.Equal((LoadBalancerKind.RoundRobin, 7), (subset.LoadBalancer.Kind, subset.ConnectionPool.MaxConnections));
        Assert.Equal((LoadBalancerKind.LeastRequest, int.MaxValue, 2), (port.LoadBalancer.Kind, port.ConnectionPool.MaxConnections, port.OutlierDetection!.Consecutive5xxErrors));
        Assert.Equal((10, TimeSpan.FromSeconds(30)), (port.OutlierDetection.MaxEjectionPercent, port.OutlierDetection.BaseEjectionTime));

        ClusterPolicy PolicyOf(string destination) => Compiled.From(
            Compiled.Gateway, TwoPorts, Rule(Spec), Compiled.VirtualService($"hosts: [foo.com]\nhttp: [{{route: [{{destination: {{{destination}}} }}]}}]"))
            .Route(new("/"))!.Forward!.Destinations[0].Cluster!.Policy;
    }

    [Theory]
    [InlineData("httpHeaderName: x-user", HashKeyKind.Header, "x-user", LoadBalancerKind.RingHash, 1024)]
    [InlineData("useSourceIp: true, minimumRingSize: 64", HashKeyKind.SourceAddress, "", LoadBalancerKind.RingHash, 64)]
    [InlineData("httpQueryParameterName: u, maglev: {}", HashKeyKind.QueryParameter, "u", LoadBalancerKind.Maglev, 65537)]
    [InlineData("httpCookie: {name: c, ttl: 0s}", HashKeyKind.Cookie, "c", LoadBalancerKind.RingHash, 1024)]
    public void ConsistentHash_EveryKey_IsParsed(string hash, HashKeyKind key, string name, LoadBalancerKind kind, int size)
    {
        var policy = Cluster(Service("name: http"), Rule($"{{host: s, trafficPolicy: {{loadBalancer: {{consistentHash: {{{hash}}}}}}}}}")).Policy.LoadBalancer;

        Assert.Equal((key, name, kind, size), (policy.Key!.Kind, policy.Key.Name, policy.Kind, policy.HashTableSize));
    }

    [Theory]
    [InlineData("host: nosuch", "host")]
    [InlineData("host: s.default", "host")]
    [InlineData("host: s, port: {number: 99}", "port.number")]
    [InlineData("host: s, subset: v9", "subset")]
    public void Resolve_SomethingUnknown_NamesTheField(string destination, string field)
    {
        var compiled = Compiled.From(
            Compiled.Gateway, Service("name: http"), Compiled.VirtualService($"hosts: [foo.com]\nhttp: [{{route: [{{destination: {{{destination}}} }}]}}]"));

        Assert.Equal("NC", compiled.Backend(new("/")));
        Assert.Equal($"spec.http[0].route[0].destination.{field}", Assert.Single(compiled.Problems).FieldPath);
    }

    private static string Service(string port, string spec = "") => $$"""
        apiVersion: v1
        kind: Service
        metadata: {name: s, namespace: default}
        spec: { {{spec}}ports: [{port: 80, {{port}} }]}
        """;

    private static string Rule(string spec, string ns = "default", string name = "rule") => $$"""
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: {{name}}, namespace: {{ns}} }
        spec:
          {{spec.Replace("\n", "\n  ", StringComparison.Ordinal)}}
        """;

    private static string WorkloadEntry(string name, string ns, string address) => $$"""
        apiVersion: networking.istio.io/v1
        kind: WorkloadEntry
        metadata: {name: {{name}}, namespace: {{ns}} }
        spec: {address: {{address}}, labels: {app: vm}, ports: {web: 9090} }
        """;

    private static Compiled Of(params string[] documents) =>
        Compiled.From([Compiled.Gateway, .. documents, Compiled.VirtualService("hosts: [foo.com]\nhttp: [{route: [{destination: {host: s}}]}]")]);

    private static Cluster Cluster(params string[] documents) => Of(documents).Route(new("/"))!.Forward!.Destinations[0].Cluster!;

    private static Cluster? Resolve(string host, params string[] documents) =>
        Compiled.From([Compiled.Gateway, .. documents, Compiled.VirtualService($"hosts: [foo.com]\nhttp: [{{route: [{{destination: {{host: {host}}}}}]}}]")])
            .Route(new("/"))!.Forward!.Destinations[0].Cluster;

    private static string Endpoints(Cluster cluster) => string.Join(',', cluster.Endpoints.Select(e => $"{e.Address}:{e.Port}"));
}
