using Portcullis.Resources;
using Portcullis.Routing.Tests.Support;

namespace Portcullis.Routing.Tests;

public sealed class LocalityTests
{
    private const string Outliers = "outlierDetection: {}";

    /// <summary>a, b: the gateway's own zone, twice; c: its zone, another subzone; d: another zone; e, f: other regions.</summary>
    private const string Entry = """
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: s, namespace: default}
        spec:
          hosts: [s.com]
          ports: [{number: 80, name: http, protocol: HTTP}]
          resolution: STATIC
          endpoints:
          - {address: 10.0.0.1, locality: us/us-1/x, weight: 3, labels: {tier: one}}
          - {address: 10.0.0.2, locality: us/us-1/x, labels: {tier: two}}
          - {address: 10.0.0.3, locality: us/us-1/y}
          - {address: 10.0.0.4, locality: us/us-2/x, labels: {tier: one}}
          - {address: 10.0.0.5, locality: eu/eu-1/x, labels: {tier: one}}
          - {address: 10.0.0.6, locality: asia/asia-1/x, network: far}
        """;

    [Theory]
    [InlineData("", "1 2 3 4 5 6")]
    [InlineData(Outliers, "1 2*4 | 3*1 | 4*1 | 5 6*2")]
    [InlineData(Outliers + ", loadBalancer: {localityLbSetting: {enabled: true}}", "1 2*4 | 3*1 | 4*1 | 5 6*2")]
    [InlineData(Outliers + ", loadBalancer: {localityLbSetting: {enabled: false}}", "1 2 3 4 5 6")]
    [InlineData(Outliers + ", loadBalancer: {localityLbSetting: {failover: [{from: us, to: eu}]}}", "1 2*4 | 3*1 | 4*1 | 5*1 | 6*1")]
    [InlineData(Outliers + ", loadBalancer: {localityLbSetting: {failover: [{from: eu, to: asia}]}}", "1 2*4 | 3*1 | 4*1 | 5*1 , 6*1")]
    [InlineData("loadBalancer: {localityLbSetting: {failover: [{from: us, to: eu}]}}", "1 2 3 4 5 6")]
    public void Endpoints_NearOnesFirst_OnlyWithOutlierDetection(string policy, string expected) => Assert.Equal(expected, Plan(policy));

    [Theory]
    [InlineData("[topology.kubernetes.io/region, topology.kubernetes.io/zone]", "1 2*4 , 3*1 | 4*1 | 5*1 , 6*1")]
    [InlineData("[tier=one]", "1*3 , 4*1 , 5*1 | 2*1 , 3*1 , 6*1")]
    [InlineData("[tier=one, topology.kubernetes.io/region]", "1*3 , 4*1 | 5*1 | 2*1 , 3*1 , 6*1")]
    [InlineData("[topology.istio.io/network, topology.kubernetes.io/region]", "1 2*4 , 3*1 , 4*1 | 5*1 | 6*1")]
    [InlineData("[mine]", "1 2*4 , 3*1 , 4*1 , 5*1 , 6*1")]
    public void FailoverPriority_ComparesLabelsInOrder(string labels, string expected) =>
        Assert.Equal(expected, Plan($"{Outliers}, loadBalancer: {{localityLbSetting: {{failoverPriority: {labels}}}}}"));

    [Fact]
    public void FailoverPriority_WithFailover_OrdersRegionsWithinEachLikeness() => Assert.Equal(
        "1*3 | 4*1 | 5*1 | 2*1 | 3*1 | 6*1",
        Plan($"{Outliers}, loadBalancer: {{localityLbSetting: {{failoverPriority: [tier=one], failover: [{{from: us, to: eu}}]}}}}"));

    [Theory]
    [InlineData("{from: us/us-1/*, to: {us/us-1/*: 80, us/us-2/*: 20}}", "1 2*64 , 3*16 , 4*20")]
    [InlineData("{from: '*', to: {eu/*: 100}}", "5*100")]
    [InlineData("{from: us, to: {us/us-1/x: 50, asia: 50}}", "1 2*50 , 6*50")]
    [InlineData("{from: eu/*, to: {eu/*: 100}}", "1 2 3 4 5 6")]
    [InlineData("{from: us/us-1/*, to: {mars: 100}}", "")]
    public void Distribute_GivesPlacesTheirShare_WithoutOutlierDetection(string distribution, string expected) =>
        Assert.Equal(expected, Plan($"loadBalancer: {{localityLbSetting: {{distribute: [{distribution}]}}}}"));

    [Theory]
    [InlineData("{}", "1 2 3 4*6 | 5 6*2")]
    [InlineData("{failover: [{from: us, to: asia}]}", "1 2 3 4*6 | 6*1 | 5*1")]
    [InlineData("{failoverPriority: [tier=one]}", "1 4*4 | 5*1 | 2 3*2 | 6*1")]
    [InlineData("{enabled: false}", "1 2 3 4 5 6")]
    public void ZoneAware_PartsByRegionOnly_EvenWithoutOutlierDetection(string setting, string expected) =>
        Assert.Equal(expected, Plan($"loadBalancer: {{zoneAwareLbSetting: {setting}}}"));

    [Theory]
    [InlineData("localityLbSetting: {enabled: false}", "1 2 3 4 5 6")]
    [InlineData("localityLbSetting: {distribute: [{from: us, to: {asia: 100}}]}", "6*100")]
    [InlineData("zoneAwareLbSetting: {}", "1 2 3 4*6 | 5 6*2")]
    public void MeshSetting_CountsWhereTheRuleHasNone(string mesh, string expected)
    {
        var config = MeshConfigReader.Read("mesh.yaml", mesh);

        Assert.Empty(config.Problems);
        Assert.Equal(expected, Plan(Outliers, mesh: config.Config));
        Assert.Equal("1 2*4 | 3*1 | 4*1 | 5 6*2", Plan(Outliers + ", loadBalancer: {localityLbSetting: {enabled: true}}", mesh: config.Config));
    }

    [Theory]
    [InlineData("topology.istio.io/locality", "eu.eu-1.x")]
    [InlineData("istio-locality", "eu/eu-1")]
    [InlineData("topology.kubernetes.io/region", "eu")]
    public void OwnLocality_IsOfItsLabels(string label, string value) =>
        Assert.StartsWith("5*1 |", Plan(Outliers, labels: [new("istio", "ingressgateway"), new(label, value)]), StringComparison.Ordinal);

    [Fact]
    public void OwnLocality_Unknown_PutsNobodyFirst() => Assert.Equal("1 2 3 4 5 6", Plan(Outliers, labels: [new("istio", "ingressgateway")]));

    [Theory]
    [InlineData("", "", "1 2 3")]
    [InlineData("", Outliers, "1*1 | 2*1 | 3*1")]
    [InlineData("trafficDistribution: PreferClose, ", "", "1*1 | 2*1 | 3*1")]
    [InlineData("trafficDistribution: PreferSameNode, ", "", "1*1 | 2*1 | 3*1")]
    [InlineData("trafficDistribution: PreferClose, ", "loadBalancer: {localityLbSetting: {enabled: false}}", "1 2 3")]
    public void Slices_TellTheZone_InTheGatewaysRegion(string service, string policy, string expected) => Assert.Equal(
        expected,
        Plan(
            policy,
            $$"""
            apiVersion: v1
            kind: Service
            metadata: {name: s, namespace: default}
            spec: { {{service}}ports: [{name: http, port: 80}] }
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: s-1, namespace: default, labels: {kubernetes.io/service-name: s} }
            addressType: IPv4
            endpoints:
            - {addresses: [10.0.0.1], zone: us-1, nodeName: n1, targetRef: {kind: Pod, name: a} }
            - {addresses: [10.0.0.2], zone: us-2}
            - {addresses: [10.0.0.3], zone: us-1, targetRef: {kind: Pod, name: b} }
            ports: [{name: http, port: 9000}]
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: a, namespace: default, labels: {topology.istio.io/locality: us.us-1.x} }
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: b, namespace: default, labels: {istio-locality: eu.us-1.x} }
            """,
            "s.default.svc.cluster.local"));

    [Fact]
    public void Subset_MayNameThePlace()
    {
        var cluster = Cluster(Entry, "s.com", """
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: r, namespace: default}
            spec: {host: s.com, subsets: [{name: near, labels: {topology.kubernetes.io/zone: us-2}}]}
            """, subset: "near");

        Assert.Equal("10.0.0.4", Assert.Single(cluster.Endpoints).Address);
    }

    /// <summary>Last numbers of the addresses: <c>|</c> parts priorities, <c>,</c> places of one priority, each with its weight after <c>*</c>.</summary>
    private static string Plan(
        string policy, string service = Entry, string host = "s.com", MeshConfig? mesh = null, KeyValuePair<string, string>[]? labels = null)
    {
        var cluster = Cluster(service, host, policy.Length == 0 ? null : $$"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: r, namespace: default}
            spec: {host: {{host}}, trafficPolicy: { {{policy}} } }
            """, mesh, labels);
        var groups = cluster.Endpoints.GroupBy(e => e.LocalityGroup).OrderBy(g => g.Key).ToList();
        if (cluster.LocalityGroups.IsEmpty)
        {
            return string.Join(' ', cluster.Endpoints.Select(e => e.Address[^1]));
        }

        return string.Join(" | ", groups.GroupBy(g => cluster.LocalityGroups[g.Key].Priority).OrderBy(l => l.Key).Select(level => string.Join(" , ", level.Select(g =>
            string.Join(' ', g.Select(e => e.Address[^1])) + $"*{cluster.LocalityGroups[g.Key].Weight}"))));
    }

    private static Cluster Cluster(
        string service, string host, string? rule, MeshConfig? mesh = null, KeyValuePair<string, string>[]? labels = null, string? subset = null)
    {
        var workload = new WorkloadIdentity();
        workload = workload with
        {
            Labels = labels is null ? workload.Labels.Add("topology.istio.io/locality", "us.us-1.x").Add("kubernetes.io/hostname", "n1") : workload.Labels.Clear().AddRange(labels),
        };
        var route = Compiled.VirtualService($"hosts: [foo.com]\nhttp: [{{route: [{{destination: {{host: {host}, subset: '{subset}'}} }}]}}]");
        string[] documents = rule is null ? [Compiled.Gateway, service, route] : [Compiled.Gateway, service, rule, route];
        return Assert.Single(Compiled.From(mesh ?? MeshConfig.Default, workload, PortMap.Default, documents).Snapshot.Clusters).Value;
    }
}
