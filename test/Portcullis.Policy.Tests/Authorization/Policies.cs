using System.Collections.Immutable;
using System.Text.Json;
using Portcullis.Resources;

namespace Portcullis.Policy.Tests.Authorization;

/// <summary>AuthorizationPolicy records from the JSON of test data, and shared meshes.</summary>
internal static class Policies
{
    public static MeshConfig DefaultMesh { get; } = MeshConfig.Default;

    /// <summary>Answers as Istio.</summary>
    public static MeshConfig ExactMesh { get; } = MeshConfig.Default with
    {
        AuthorizationDenied = AuthorizationDeniedMode.Forbidden,
        PrincipalWithoutSub = PrincipalWithoutSubMode.Reject,
        DenyPathReadings = DenyPathReadingsMode.Exact,
    };

    public static AuthorizationPolicy Parse(string json, string name = "p")
    {
        using var document = JsonDocument.Parse(json);
        return Read(document.RootElement, name);
    }

    public static AuthorizationPolicy Of(PolicyAction action, params ImmutableArray<AuthorizationRule> rules) =>
        Of("p", action, rules);

    public static AuthorizationPolicy Of(string name, PolicyAction action, ImmutableArray<AuthorizationRule> rules) => new()
    {
        ApiVersion = "security.istio.io/v1",
        Kind = "AuthorizationPolicy",
        Metadata = new ResourceMetadata { Name = name, Namespace = "istio-system" },
        Origin = TestOrigin.Instance,
        Action = action,
        ProviderName = action == PolicyAction.Custom ? "provider" : null,
        Rules = rules,
    };

    public static AuthorizationPolicy Read(JsonElement policy, string name) => new()
    {
        ApiVersion = "security.istio.io/v1",
        Kind = "AuthorizationPolicy",
        Metadata = new ResourceMetadata
        {
            Name = Text(policy, "name") ?? name,
            Namespace = Text(policy, "namespace") ?? "istio-system",
            Annotations = Map(policy, "annotations") ?? ImmutableDictionary<string, string>.Empty,
        },
        Origin = TestOrigin.Instance,
        Selection = new WorkloadSelection
        {
            MatchLabels = Map(policy, "matchLabels"),
            TargetRefs = [.. Items(policy, "targetRefs").Select(t => new TargetReference
            {
                Group = Text(t, "group") ?? "",
                Kind = Text(t, "kind")!,
                Name = Text(t, "name")!,
                Namespace = Text(t, "namespace"),
            })],
        },
        Action = Enum.Parse<PolicyAction>(Text(policy, "action") ?? "ALLOW", ignoreCase: true),
        ProviderName = Text(policy, "provider"),
        Rules = [.. Items(policy, "rules").Select(Rule)],
    };

    public static ImmutableDictionary<string, string>? Map(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var map) ? map.EnumerateObject().ToImmutableDictionary(p => p.Name, p => p.Value.GetString()!) : null;

    public static string? Text(JsonElement parent, string name) => parent.TryGetProperty(name, out var value) ? value.GetString() : null;

    public static IEnumerable<JsonElement> Items(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var list) ? list.EnumerateArray() : [];

    private static AuthorizationRule Rule(JsonElement rule) => new()
    {
        From = [.. Items(rule, "from").Select(f => Source(f.GetProperty("source")))],
        To = [.. Items(rule, "to").Select(t => Operation(t.GetProperty("operation")))],
        When = [.. Items(rule, "when").Select(c => new Condition
        {
            Key = Text(c, "key")!,
            Values = Texts(c, "values"),
            NotValues = Texts(c, "notValues"),
        })],
    };

    private static RequestSource Source(JsonElement s) => new()
    {
        Principals = Texts(s, "principals"),
        NotPrincipals = Texts(s, "notPrincipals"),
        RequestPrincipals = Texts(s, "requestPrincipals"),
        NotRequestPrincipals = Texts(s, "notRequestPrincipals"),
        Namespaces = Texts(s, "namespaces"),
        NotNamespaces = Texts(s, "notNamespaces"),
        ServiceAccounts = Texts(s, "serviceAccounts"),
        NotServiceAccounts = Texts(s, "notServiceAccounts"),
        IpBlocks = Texts(s, "ipBlocks"),
        NotIpBlocks = Texts(s, "notIpBlocks"),
        RemoteIpBlocks = Texts(s, "remoteIpBlocks"),
        NotRemoteIpBlocks = Texts(s, "notRemoteIpBlocks"),
        TrustDomains = Texts(s, "trustDomains"),
        NotTrustDomains = Texts(s, "notTrustDomains"),
    };

    private static Operation Operation(JsonElement o) => new()
    {
        Hosts = Texts(o, "hosts"),
        NotHosts = Texts(o, "notHosts"),
        Ports = Texts(o, "ports"),
        NotPorts = Texts(o, "notPorts"),
        Methods = Texts(o, "methods"),
        NotMethods = Texts(o, "notMethods"),
        Paths = Texts(o, "paths"),
        NotPaths = Texts(o, "notPaths"),
    };

    private static ImmutableArray<string> Texts(JsonElement parent, string name) => [.. Items(parent, name).Select(v => v.GetString()!)];

    private sealed class TestOrigin : ResourceOrigin
    {
        public static TestOrigin Instance { get; } = new();

        public override string Source => "test";

        public override int Order => 0;

        public override SourcePosition? Locate(string fieldPath) => null;
    }
}
