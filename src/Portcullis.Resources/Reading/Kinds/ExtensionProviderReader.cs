using System.Collections.Immutable;
using System.Globalization;

namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates <c>extensionProviders</c> (authorization.md §10); external authorizers, and collectors of traces.</summary>
internal static class ExtensionProviderReader
{
    private static readonly string[] Others =
    [
        "zipkin", "lightstep", "datadog", "stackdriver", "opencensus", "skywalking", "prometheus", "envoyFileAccessLog", "envoyHttpAls",
        "envoyTcpAls", "envoyOtelAls", "sds",
    ];

    public static ImmutableArray<ExtensionProvider> Read(ObjectReader mesh, ICollection<OpenTelemetryProvider> tracers)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        return [.. mesh.List("extensionProviders", (r, _) => new Entry(ReadProvider(r, names, tracers))).Where(e => e.Provider is not null).Select(e => e.Provider!)];
    }

    private static ExtensionProvider? ReadProvider(ObjectReader reader, HashSet<string> names, ICollection<OpenTelemetryProvider> tracers)
    {
        var name = reader.RequiredText("name");
        if (name.Length > 0 && !Names.IsLabel(name))
        {
            reader.At("name").Error($"`{name}` is not a valid provider name", "use lower-case letters, digits and inner `-`, at most 63 characters");
        }
        else if (name.Length > 0 && !names.Add(name))
        {
            reader.At("name").Error($"duplicate extension provider name {name}", "give every provider its own name", ProblemCodes.Conflict);
        }

        var http = reader.Object("envoyExtAuthzHttp", r => ReadHttp(r, name));
        var grpc = reader.Object("envoyExtAuthzGrpc", r => ReadCommon(r, name, isGrpc: true));
        var tracer = reader.Object("opentelemetry", r => TracingReader.ReadProvider(r, name, ReadService, ReadPort));
        if (tracer is not null)
        {
            tracers.Add(tracer);
        }

        var others = tracer is null ? 0 : 1;
        foreach (var other in Others)
        {
            if (reader.Has(other))
            {
                others++;
                reader.At(other).Note("not used by the gateway: only envoyExtAuthzHttp, envoyExtAuthzGrpc and opentelemetry are");
            }

            reader.Accept(other);
        }

        if (others + (http is null ? 0 : 1) + (grpc is null ? 0 : 1) != 1 && reader.Context.Errors == 0)
        {
            reader.Self.Error("a provider is exactly one of envoyExtAuthzHttp, envoyExtAuthzGrpc or another of Istio's", "give one");
        }

        return http ?? grpc;
    }

    private static ExtensionProvider ReadHttp(ObjectReader reader, string name)
    {
        var provider = ReadCommon(reader, name, isGrpc: false);
        var headers = HeaderNames(reader, "includeRequestHeadersInCheck");
        var legacy = HeaderNames(reader, "includeHeadersInCheck");
        var prefix = reader.Text("pathPrefix") ?? "";
        if (prefix.Length > 0 && prefix[0] != '/')
        {
            reader.At("pathPrefix").Error($"pathPrefix must begin with `/`, found: \"{prefix}\"", $"write /{prefix}");
        }

        return provider with
        {
            PathPrefix = prefix,
            IncludeRequestHeadersInCheck = headers.IsEmpty ? legacy : headers,
            IncludeAdditionalHeadersInCheck = reader.TextMap("includeAdditionalHeadersInCheck", static (header, _, place) =>
            {
                if (!Names.IsToken(header))
                {
                    place.Error($"header name `{header}` is not a valid header name", "use letters, digits, `-` and `_`");
                }
            }),
            HeadersToUpstreamOnAllow = HeaderNames(reader, "headersToUpstreamOnAllow"),
            HeadersToDownstreamOnDeny = HeaderNames(reader, "headersToDownstreamOnDeny"),
            HeadersToDownstreamOnAllow = HeaderNames(reader, "headersToDownstreamOnAllow"),
        };
    }

    private static ExtensionProvider ReadCommon(ObjectReader reader, string name, bool isGrpc)
    {
        if (reader.Boolean("clearRouteCache") == true)
        {
            reader.At("clearRouteCache").Note("the route is chosen after authorization in any case");
        }

        return new ExtensionProvider
        {
            Name = name,
            IsGrpc = isGrpc,
            Service = ReadService(reader),
            Port = ReadPort(reader),
            Timeout = reader.Duration("timeout"),
            FailOpen = reader.Boolean("failOpen") ?? false,
            StatusOnError = ReadStatus(reader),
            IncludeRequestBodyInCheck = reader.Object("includeRequestBodyInCheck", r => ReadBody(r, isGrpc)),
        };
    }

    private static string ReadService(ObjectReader reader)
    {
        var service = reader.RequiredText("service", "service must not be empty", "name it as [namespace/]fqdn");
        var slash = service.IndexOf('/', StringComparison.Ordinal);
        if (service.Length > 0 && ((slash >= 0 && !Names.IsLabel(service.AsSpan(0, slash)))
            || HostNames.Wrong(service.AsSpan(slash + 1), shortNames: true, addresses: false) is not null
            || service.Contains('*', StringComparison.Ordinal)))
        {
            reader.At("service").Error($"invalid service {service}", "name it as [namespace/]fqdn");
        }

        return service;
    }

    private static int ReadPort(ObjectReader reader)
    {
        var port = reader.Integer("port", int.MinValue, int.MaxValue);
        if (port is null && !reader.Has("port"))
        {
            reader.At("port").Error("port must be in the range [1, 65535], found: 0", "add the port of the service", ProblemCodes.MissingField);
        }
        else if (port is < 1 or > 65535)
        {
            reader.At("port").Error($"port must be in the range [1, 65535], found: {port}", "correct it");
        }

        return port ?? 0;
    }

    private static int? ReadStatus(ObjectReader reader)
    {
        var text = reader.Text("statusOnError");
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var status) && IsKnownStatus(status))
        {
            return status;
        }

        reader.At("statusOnError").Error($"unsupported statusOnError: {text}", "write a known HTTP status such as \"503\"");
        return null;
    }

    /// <summary>The statuses that Envoy's API names.</summary>
    private static bool IsKnownStatus(int status) =>
        status is 100 or (>= 200 and <= 208) or 226 or (>= 300 and <= 308 and not 306) or (>= 400 and <= 417) or (>= 421 and <= 424) or 426 or 428 or 429 or 431
            or (>= 500 and <= 508) or 510 or 511;

    private static CheckRequestBody ReadBody(ObjectReader reader, bool isGrpc)
    {
        var max = reader.Integer("maxRequestBytes", 1, int.MaxValue, "write the largest body to send, in bytes");
        if (max is null && !reader.Has("maxRequestBytes"))
        {
            reader.At("maxRequestBytes").Error("`maxRequestBytes` is required", "write the largest body to send, in bytes", ProblemCodes.MissingField);
        }

        var pack = reader.Boolean("packAsBytes") ?? false;
        if (pack && !isGrpc)
        {
            reader.At("packAsBytes").Warning("packAsBytes has no effect with envoyExtAuthzHttp", "remove it");
        }

        return new(max ?? 0, reader.Boolean("allowPartialMessage") ?? false, pack);
    }

    private static ImmutableArray<string> HeaderNames(ObjectReader reader, string field) => reader.Texts(field, static (name, place) =>
    {
        if (name is "" or "*")
        {
            place.Error(name.Length == 0 ? "header name cannot be empty" : "a lone `*` is not supported", "name the headers, or use a prefix such as x-auth-*");
        }
    });

    private sealed record Entry(ExtensionProvider? Provider);
}
