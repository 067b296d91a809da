using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Upstream;

/// <summary>A gateway in this process with one route to one service, and what a test says about the two.</summary>
internal static class UpstreamGateway
{
    private const string Log = "accessLogFile: ${access-log}\naccessLogFormat: \"%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\\n\"";

    /// <param name="ports">Of the service's endpoints, all on the loopback address.</param>
    /// <param name="rule">YAML of the route's rule beside <c>route</c>.</param>
    /// <param name="policy">YAML of the DestinationRule's <c>trafficPolicy</c>.</param>
    /// <param name="time">The clock.</param>
    /// <param name="portName">Of the Service's port: decides the protocol.</param>
    /// <param name="resources">More documents.</param>
    /// <param name="gateway">In place of the guide's Gateway, which is in clear.</param>
    public static Task<InProcessGateway> StartAsync(
        int[] ports, string rule = "", string? policy = null, TimeProvider? time = null, string portName = "http", string resources = "", string? gateway = null) =>
        InProcessGateway.StartAsync(
            1,
            new() { Mesh = Log, Time = time ?? TimeProvider.System },
            [
                ("virtual-service.yaml", $$"""
                    apiVersion: networking.istio.io/v1
                    kind: VirtualService
                    metadata: {name: route, namespace: istio-system}
                    spec:
                      hosts: ["*"]
                      gateways: [default/httpbin-gateway]
                      http:
                      - route: [{destination: {host: up.default.svc.cluster.local} }]
                    {{Indent(rule, "    ")}}
                    """),
                ("up.yaml", Documents(ports, policy, portName, resources)),
                .. gateway is null ? Array.Empty<(string, string)>() : [("gateway.yaml", gateway)],
            ]);

    /// <summary>The service, its endpoints and its DestinationRule, for a change while the gateway runs.</summary>
    public static string Documents(int[] ports, string? policy = null, string portName = "http", string resources = "") => $$"""
        apiVersion: v1
        kind: Service
        metadata: {name: up, namespace: default}
        spec: {ports: [{name: {{portName}}, port: 80}] }
        ---
        {{string.Join("\n---\n", ports.Select((p, i) => Slice(p, i, portName)))}}
        ---
        {{(policy is null ? "" : "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: up, namespace: default}\nspec:\n  host: up.default.svc.cluster.local\n  trafficPolicy:\n" + Indent(policy, "    "))}}
        ---
        {{resources}}
        """;

    private static string Slice(int port, int index, string portName) =>
        $"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: up-{index}, namespace: default, labels: {{kubernetes.io/service-name: up}}}}\n"
        + $"addressType: IPv4\nendpoints: [{{addresses: [127.0.0.1]}}]\nports: [{{name: {portName}, port: {port}}}]";

    private static string Indent(string text, string by) => string.Join('\n', text.Split('\n').Select(l => by + l));
}
