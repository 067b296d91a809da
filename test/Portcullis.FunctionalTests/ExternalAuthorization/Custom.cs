using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.ExternalAuthorization;

/// <summary>Configuration with CUSTOM policies.</summary>
internal static class Custom
{
    /// <summary>A service of a name at a port of this machine.</summary>
    public static (string File, string Text) Service(string name, int port) => ($"{name}.yaml", $$"""
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: {{name}}, namespace: default}
        spec:
          hosts: [{{name}}.test]
          ports: [{number: 80, name: http, protocol: HTTP, targetPort: {{port}} }]
          resolution: STATIC
          endpoints: [{address: 127.0.0.1}]
        """);

    /// <summary>A policy whose rules are flow YAML, by default for every request.</summary>
    public static (string File, string Text) Policy(string provider, string rules = "[{}]", string name = "ask", string annotations = "{}") => ($"policy-{name}.yaml", $$"""
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: {{name}}, namespace: istio-system, annotations: {{annotations}} }
        spec: {action: CUSTOM, provider: {name: {{provider}} }, rules: {{rules}} }
        """);

    /// <summary>A policy of another action.</summary>
    public static (string File, string Text) Other(string action, string rules) => ($"policy-{action}.yaml", $$"""
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: other, namespace: istio-system}
        spec: {action: {{action}}, rules: {{rules}} }
        """);

    /// <summary>A provider <c>p</c> over HTTP with further fields, flow YAML.</summary>
    public static string Http(string fields = "") => Mesh("p", "envoyExtAuthzHttp", fields);

    /// <summary>A provider <c>p</c> over gRPC.</summary>
    public static string Grpc(string fields = "") => Mesh("p", "envoyExtAuthzGrpc", fields);

    public static string Mesh(string name, string kind, string fields) =>
        $"accessLogFile: ${{access-log}}\nextensionProviders:\n- {Provider(name, kind, fields)}\n";

    public static string Provider(string name, string kind, string fields) =>
        $"{{name: {name}, {kind}: {{service: {name}.test, port: 80{(fields.Length == 0 ? "" : ", ")}{fields}}}}}";

    /// <summary>A gateway that asks the one provider about every request.</summary>
    public static Task<InProcessGateway> StartAsync(int backendPort, int authorizerPort, string mesh, params IEnumerable<(string File, string Text)> more) =>
        InProcessGateway.StartAsync(backendPort, new InProcessOptions { Mesh = mesh, HasStats = true }, [Service("p", authorizerPort), Policy("p"), .. more]);
}
