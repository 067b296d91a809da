using System.Globalization;
using OpenTelemetry.Exporter;
using Portcullis.Resources;

namespace Portcullis.Gateway.Telemetry.Tracing;

/// <summary>
/// Decides where spans go: to the mesh's default provider, else where OpenTelemetry's standard variables point. Neither: nothing is traced.
/// </summary>
internal static class TraceSettingsReader
{
    private const double DefaultSampling = 1;
    private const double EverySampling = 100;
    private const string Prefix = "OTEL_EXPORTER_OTLP_";

    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(10);

    /// <param name="mesh">What the mesh configuration says.</param>
    /// <param name="workload">Names the service where nothing else does.</param>
    /// <param name="environment">Reads a variable.</param>
    /// <param name="problem">What is wrong with a variable; nothing is traced then.</param>
    public static TraceSettings? Read(MeshTracing mesh, WorkloadIdentity workload, Func<string, string?> environment, out string? problem)
    {
        problem = null;
        var settings = mesh.Provider is { } provider ? FromMesh(provider, environment) : FromEnvironment(environment, out problem);
        var service = workload.Labels.GetValueOrDefault("app") ?? "portcullis";
        return settings is null ? null : settings with
        {
            ServiceName = environment("OTEL_SERVICE_NAME") is { Length: > 0 } name ? name : $"{service}.{workload.Namespace}",
            ResourceAttributes = environment("OTEL_RESOURCE_ATTRIBUTES") ?? "",
            Ratio = (mesh.Sampling ?? (mesh.Provider is null ? EverySampling : DefaultSampling)) / 100,
            MaxPathTagLength = mesh.MaxPathTagLength,
            IncludesPrincipal = mesh.IncludesPrincipal,
            CustomTags = [.. mesh.CustomTags.Select(t => Resolve(t, environment)).Where(t => t.Source == CustomTagSource.Header || t.Value.Length > 0)],
        };
    }

    private static CustomTag Resolve(CustomTag tag, Func<string, string?> environment) =>
        tag.Source == CustomTagSource.Environment ? tag with { Value = environment(tag.Value) ?? tag.DefaultValue } : tag;

    private static TraceSettings FromMesh(OpenTelemetryProvider provider, Func<string, string?> environment)
    {
        var host = provider.Service[(provider.Service.IndexOf('/', StringComparison.Ordinal) + 1)..];
        var headers = provider.Headers
            .Select(h => (h.Name, Value: h.IsVariable ? environment(h.Value) : h.Value))
            .Where(h => h.Value is not null)
            .Select(h => $"{h.Name}={Uri.EscapeDataString(h.Value!)}");
        return Create(
            new Uri($"http://{host}:{provider.Port}{provider.HttpPath}"),
            provider.HttpPath is null ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf,
            provider.Timeout ?? DefaultTimeout,
            string.Join(',', headers));
    }

    /// <summary>The variables of OpenTelemetry's exporter specification; those for traces go before the general ones.</summary>
    private static TraceSettings? FromEnvironment(Func<string, string?> environment, out string? problem)
    {
        problem = null;
        string? Variable(string name) => environment($"{Prefix}TRACES_{name}") is { Length: > 0 } own ? own : environment(Prefix + name) is { Length: > 0 } general ? general : null;
        if (Variable("ENDPOINT") is not { } text || environment("OTEL_SDK_DISABLED") is "true" || environment("OTEL_TRACES_EXPORTER") is "none")
        {
            return null;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("http" or "https"))
        {
            problem = $"{Prefix}ENDPOINT: not an http or https URL; nothing is traced";
            return null;
        }

        OtlpExportProtocol? protocol = Variable("PROTOCOL") switch
        {
            null or "http/protobuf" => OtlpExportProtocol.HttpProtobuf,
            "grpc" => OtlpExportProtocol.Grpc,
            _ => null,
        };
        if (protocol is not { } known)
        {
            problem = $"{Prefix}PROTOCOL: write `grpc` or `http/protobuf`; nothing is traced";
            return null;
        }

        if (known == OtlpExportProtocol.HttpProtobuf && environment($"{Prefix}TRACES_ENDPOINT") is not { Length: > 0 })
        {
            // The general endpoint is a base to which the signal's path is added; one for traces is used as it is.
            endpoint = new Uri(endpoint.AbsoluteUri.TrimEnd('/') + "/v1/traces");
        }

        var timeout = int.TryParse(Variable("TIMEOUT"), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds > 0
            ? TimeSpan.FromMilliseconds(milliseconds)
            : DefaultTimeout;
        return Create(endpoint, known, timeout, Variable("HEADERS") ?? "");
    }

    private static TraceSettings Create(Uri endpoint, OtlpExportProtocol protocol, TimeSpan timeout, string headers) => new()
    {
        Endpoint = endpoint,
        Protocol = protocol,
        Timeout = timeout,
        Headers = headers,
        ServiceName = "",
        ResourceAttributes = "",
        Ratio = 1,
        MaxPathTagLength = MeshTracing.DefaultMaxPathTagLength,
        IncludesPrincipal = false,
        CustomTags = [],
    };
}
