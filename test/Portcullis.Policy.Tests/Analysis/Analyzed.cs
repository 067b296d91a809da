using Portcullis.Policy.Analysis;
using Portcullis.Resources;

namespace Portcullis.Policy.Tests.Analysis;

/// <summary>Short ways to analyse a policy on a gateway with HTTP on 80 (bound as 8080) and tokens of <c>https://i.example</c>.</summary>
internal static class Analyzed
{
    public const string Issuer = """
        apiVersion: security.istio.io/v1
        kind: RequestAuthentication
        metadata: {name: tokens, namespace: istio-system}
        spec: {jwtRules: [{issuer: "https://i.example", jwksUri: "https://i.example/jwks"}]}
        """;

    public static readonly ServedPort Http = new(8080, [80], IsHttp: true, IsTcp: false, AsksForCertificate: false, ["*"]);

    public static readonly ServedPort Tcp = new(9000, [9000], IsHttp: false, IsTcp: true, AsksForCertificate: false, ["*"]);

    /// <summary>Findings of policies with these bodies of <c>spec</c>, named p0, p1 and so on.</summary>
    public static IReadOnlyList<Problem> Specs(params string[] specs) => Yaml(MeshConfig.Default, [Http], [Issuer, .. specs.Select(Policy)]);

    public static IReadOnlyList<Problem> Specs(MeshConfig mesh, params string[] specs) => Yaml(mesh, [Http], [Issuer, .. specs.Select(Policy)]);

    public static IReadOnlyList<Problem> Specs(ServedPort[] ports, params string[] specs) => Yaml(MeshConfig.Default, ports, [Issuer, .. specs.Select(Policy)]);

    public static IReadOnlyList<Problem> Yaml(MeshConfig mesh, ServedPort[] ports, params string[] documents)
    {
        var read = ResourceReader.Read("test.yaml", string.Join("\n---\n", documents));
        Assert.DoesNotContain(read.Problems, p => p.Severity == ProblemSeverity.Error);
        var set = ResourceSetBuilder.Build([read], [], mesh, "");
        return PolicyAnalyzer.Analyze(set, new WorkloadIdentity(), ports);
    }

    /// <summary>Codes without those that every small example gives: nobody thinks of health checks in a test.</summary>
    public static IEnumerable<string> Codes(this IEnumerable<Problem> problems) =>
        problems.Select(p => p.Code).Where(c => c is not (ProblemCodes.HealthProtected or ProblemCodes.TokenNotRequired)).Distinct();

    private static string Policy(string spec, int index) =>
        $"apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: p{index}, namespace: istio-system}}\nspec: {spec}";
}
