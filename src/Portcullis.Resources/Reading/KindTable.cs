namespace Portcullis.Resources.Reading;

/// <summary>A kind that the gateway reads.</summary>
/// <param name="Kind">Its name.</param>
/// <param name="Group">API group; empty for the core.</param>
/// <param name="Versions">Versions of it, the current one first.</param>
/// <param name="Read">Reads the document below <c>apiVersion</c>, <c>kind</c> and <c>metadata</c>.</param>
internal sealed record KnownKind(string Kind, string Group, string[] Versions, Func<ObjectReader, ResourceHeader, Resource> Read)
{
    public bool IsIstio => Group.EndsWith(".istio.io", StringComparison.Ordinal);

    public bool IsPolicy => Group == KindTable.SecurityGroup;

    public string ApiVersion => Group.Length == 0 ? Versions[0] : $"{Group}/{Versions[0]}";
}

/// <summary>
/// Decides what a document is. The rule: a document that may be meant for the gateway is never passed over in silence. Unknown versions of
/// known kinds, unknown kinds of Istio's groups, and kinds or groups that look like a misspelling are errors; only what plainly belongs
/// to someone else is ignored, with a note.
/// </summary>
internal static class KindTable
{
    public const string SecurityGroup = "security.istio.io";
    public const string NetworkingGroup = "networking.istio.io";

    private const string GatewayApiGroup = "gateway.networking.k8s.io";

    private static readonly string[] Networking = ["v1", "v1beta1", "v1alpha3"];
    private static readonly string[] Security = ["v1", "v1beta1"];
    private static readonly string[] Core = ["v1"];

    public static readonly KnownKind[] Known =
    [
        new("RequestAuthentication", SecurityGroup, Security, RequestAuthenticationReader.Read),
        new("AuthorizationPolicy", SecurityGroup, Security, AuthorizationPolicyReader.Read),
        new("Gateway", NetworkingGroup, Networking, GatewayReader.Read),
        new("VirtualService", NetworkingGroup, Networking, VirtualServiceReader.Read),
        new("DestinationRule", NetworkingGroup, Networking, DestinationRuleReader.Read),
        new("ServiceEntry", NetworkingGroup, Networking, ServiceEntryReader.Read),
        new("WorkloadEntry", NetworkingGroup, Networking, ServiceEntryReader.ReadWorkloadEntry),
        new("Service", "", Core, ServiceReader.Read),
        new("Endpoints", "", Core, EndpointsReader.Read),
        new("EndpointSlice", "discovery.k8s.io", ["v1", "v1beta1"], EndpointsReader.ReadSlice),
        new("Secret", "", Core, SecretReader.Read),
        new("Pod", "", Core, PodReader.Read),
    ];

    /// <summary>Istio's other kinds, and what it means that they are not used.</summary>
    private static readonly (string Group, string Kind, ProblemSeverity Severity, string Effect)[] OtherIstio =
    [
        (SecurityGroup, "PeerAuthentication", ProblemSeverity.Note, "it governs mutual TLS between workloads, not what clients of the gateway do"),
        (NetworkingGroup, "EnvoyFilter", ProblemSeverity.Warning, "there is no Envoy to patch; nothing of it takes effect"),
        (NetworkingGroup, "Sidecar", ProblemSeverity.Note, "it configures sidecars"),
        (NetworkingGroup, "ProxyConfig", ProblemSeverity.Warning, "what a gateway follows of it is read from `defaultConfig` of the mesh configuration"),
        (NetworkingGroup, "WorkloadGroup", ProblemSeverity.Note, "it describes workloads that register themselves"),
        ("telemetry.istio.io", "Telemetry", ProblemSeverity.Warning, "access log, sampling and tags are those of the mesh configuration, and metrics cannot be overridden"),
        ("extensions.istio.io", "WasmPlugin", ProblemSeverity.Warning, "plugins are not run"),
    ];

    private static readonly string[] KubernetesKinds =
    [
        "Binding", "ConfigMap", "Event", "LimitRange", "Namespace", "Node", "PersistentVolume", "PersistentVolumeClaim", "PodTemplate",
        "ReplicationController", "ResourceQuota", "ServiceAccount",
    ];

    /// <summary>The kind of a document, or <see langword="null"/> after a report: it is refused or ignored.</summary>
    /// <param name="context">Takes the report.</param>
    /// <param name="apiVersion">As written.</param>
    /// <param name="kind">As written.</param>
    /// <param name="apiVersionPlace">Where it is.</param>
    /// <param name="kindPlace">Where it is.</param>
    public static KnownKind? Find(ReadContext context, string apiVersion, string kind, SourcePosition apiVersionPlace, SourcePosition kindPlace)
    {
        var (group, version) = Split(apiVersion);
        foreach (var known in Known)
        {
            if (known.Kind != kind)
            {
                continue;
            }

            if (known.Group == group)
            {
                if (known.Versions.Contains(version))
                {
                    return known;
                }

                context.Add(ProblemSeverity.Error, ProblemCodes.InvalidValue, apiVersionPlace, "apiVersion", $"unknown version `{apiVersion}` of {kind}",
                    $"use {string.Join(" or ", known.Versions.Select(v => known.Group.Length == 0 ? v : $"{known.Group}/{v}"))}");
                return null;
            }

            if (known.IsPolicy || FieldName.Distance(known.Group, group) <= 3 || (known.IsIstio && (group.Length == 0 || group.EndsWith("istio.io", StringComparison.Ordinal))))
            {
                context.Add(ProblemSeverity.Error, ProblemCodes.InvalidValue, apiVersionPlace, "apiVersion", $"`{apiVersion}` is not an API version of {kind}", $"use {known.ApiVersion}");
                return null;
            }
        }

        Refuse(context, group, apiVersion, kind, apiVersionPlace, kindPlace);
        return null;
    }

    private static void Refuse(ReadContext context, string group, string apiVersion, string kind, SourcePosition apiVersionPlace, SourcePosition place)
    {
        foreach (var other in OtherIstio)
        {
            if (other.Group == group && other.Kind == kind)
            {
                var code = other.Severity is ProblemSeverity.Note ? ProblemCodes.IgnoredKind : ProblemCodes.Unsupported;
                context.Add(other.Severity, code, place, "kind", $"{kind} is not used: {other.Effect}", null);
                return;
            }
        }

        var ours = group is SecurityGroup or NetworkingGroup || (group.Length > 0 && Nearly(group));
        var candidates = Known.Where(k => ours || k.IsPolicy || k.Group == group).Select(k => k.Kind);
        var near = ours || !KubernetesKinds.Contains(kind) ? FieldName.Nearest(kind, ours ? candidates.Concat(OtherIstio.Select(o => o.Kind)) : candidates) : null;
        if (ours && group is not (SecurityGroup or NetworkingGroup))
        {
            var right = FieldName.Distance(group, SecurityGroup) <= FieldName.Distance(group, NetworkingGroup) ? SecurityGroup : NetworkingGroup;
            context.Add(ProblemSeverity.Error, ProblemCodes.InvalidValue, apiVersionPlace, "apiVersion", $"`{group}` is not an API group of Istio", $"did you mean `{right}`?");
        }
        else if (ours || (near is not null && near != kind))
        {
            context.Add(ProblemSeverity.Error, ProblemCodes.InvalidValue, place, "kind", $"`{apiVersion}` has no kind `{kind}`",
                near is not null ? $"did you mean `{near}`?" : $"known: {string.Join(", ", Known.Where(k => k.Group == group).Select(k => k.Kind))}");
        }
        else if (group == GatewayApiGroup)
        {
            context.Add(ProblemSeverity.Warning, ProblemCodes.Unsupported, place, "kind", $"{kind} of the Kubernetes Gateway API is not read by this version", "use Istio's Gateway and VirtualService");
        }
        else
        {
            context.Add(ProblemSeverity.Note, ProblemCodes.IgnoredKind, place, "kind", $"{kind} ({apiVersion}) is not used by the gateway", null);
        }
    }

    private static bool Nearly(string group) =>
        FieldName.Distance(group, SecurityGroup) <= 3 || FieldName.Distance(group, NetworkingGroup) <= 3;

    private static (string Group, string Version) Split(string apiVersion)
    {
        var slash = apiVersion.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? ("", apiVersion) : (apiVersion[..slash], apiVersion[(slash + 1)..]);
    }
}
