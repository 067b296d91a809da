using Portcullis.Resources;

namespace Portcullis.Routing.Tests.Support;

/// <summary>Resources compiled, with what was found.</summary>
internal sealed class Compiled
{
    /// <summary>Gateway <c>istio-system/gw</c> on port 80 for every host.</summary>
    public const string Gateway = """
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: gw, namespace: istio-system}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - port: {number: 80, name: http, protocol: HTTP}
            hosts: ["*"]
        """;

    private Compiled(RoutingSnapshot snapshot, List<Problem> problems) => (Snapshot, Problems) = (snapshot, problems);

    public RoutingSnapshot Snapshot { get; }

    public List<Problem> Problems { get; }

    /// <summary>The only listener.</summary>
    public CompiledListener Listener => Assert.Single(Snapshot.Listeners);

    /// <summary>Compiles documents; each is separated from the next, and all must be sound.</summary>
    public static Compiled From(params string[] documents) => From(PortMap.Default, new(), documents);

    public static Compiled From(PortMap ports, WorkloadIdentity workload, params string[] documents) => From(MeshConfig.Default, workload, ports, documents);

    public static Compiled From(MeshConfig mesh, WorkloadIdentity workload, PortMap ports, params string[] documents)
    {
        var read = ResourceReader.Read("test.yaml", string.Join("\n---\n", documents));
        Assert.DoesNotContain(read.Problems, p => p.Severity == ProblemSeverity.Error);
        return From(ports, workload, read.Resources, mesh);
    }

    /// <summary>Compiles resources as they are, whether a reader would let them pass or not.</summary>
    public static Compiled From(IEnumerable<Resource> resources) => From(PortMap.Default, new(), resources);

    private static Compiled From(PortMap ports, WorkloadIdentity workload, IEnumerable<Resource> resources, MeshConfig? mesh = null)
    {
        var problems = new List<Problem>();
        return new(RoutingSnapshot.Compile(new ResourceSet(resources, [], ""), workload, mesh ?? MeshConfig.Default, ports, problems), problems);
    }

    /// <summary>A VirtualService bound to <see cref="Gateway"/>; its <c>spec</c> is given in flow style or indented by two.</summary>
    public static string VirtualService(string spec, string name = "vs", string ns = "default", bool replaceGateways = false) => $$"""
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: {{name}}, namespace: {{ns}} }
        spec:
        {{Indent(replaceGateways ? spec : "gateways: [istio-system/gw]\n" + spec)}}
        """;

    /// <summary>A Service with one port 80 and a ready endpoint.</summary>
    public static string Service(string name, string ns = "default", string address = "10.0.0.1") => $$"""
        apiVersion: v1
        kind: Service
        metadata: {name: {{name}}, namespace: {{ns}} }
        spec: {ports: [{name: http, port: 80, targetPort: 8000}]}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: {{name}}-1, namespace: {{ns}}, labels: {kubernetes.io/service-name: {{name}} } }
        addressType: IPv4
        endpoints: [{addresses: [{{address}}]}]
        ports: [{name: http, port: 8000}]
        """;

    /// <summary>The route that a request takes; <see langword="null"/> is 404.</summary>
    public CompiledRoute? Route(TestRequest request) => Listener.Hosts.Find(request.Authority)?.Match(in request);

    /// <summary>The host of the only destination of the route, short; <c>404</c> without a route, <c>NC</c> without a cluster.</summary>
    public string Backend(TestRequest request) => Route(request) switch
    {
        null => "404",
        { Forward: { } forward } => forward.Pick(0).Cluster is { } cluster ? cluster.Host.Split('.')[0] : "NC",
        { } other => other.Action.ToString(),
    };

    private static string Indent(string text) => "  " + text.Replace("\n", "\n  ", StringComparison.Ordinal);
}
