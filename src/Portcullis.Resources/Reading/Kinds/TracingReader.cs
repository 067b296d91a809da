using System.Collections.Immutable;

namespace Portcullis.Resources.Reading;

/// <summary>Reads what MeshConfig says of tracing: the providers, which is the default one, how much is sampled, and custom tags.</summary>
internal static class TracingReader
{
    private static readonly string[] OtherTracers = ["zipkin", "lightstep", "datadog", "stackdriver", "openCensusAgent", "tlsSettings"];

    /// <summary><c>extensionProviders[].opentelemetry</c>.</summary>
    public static OpenTelemetryProvider ReadProvider(ObjectReader reader, string name, Func<ObjectReader, string> service, Func<ObjectReader, int> port)
    {
        var http = reader.Object("http", ReadHttp);
        var grpc = reader.Object("grpc", static r => new Export(null, r.Duration("timeout"), ReadHeaders(r, "initialMetadata")));
        if (http is not null && grpc is not null)
        {
            reader.At("grpc").Error("`http` and `grpc` exclude each other", "remove one of them", ProblemCodes.Conflict);
        }

        reader.Object("resourceDetectors", static r =>
        {
            r.Accept("environment");
            r.Unsupported("dynatrace", "only OTEL_RESOURCE_ATTRIBUTES of the environment is read");
            return r;
        });
        reader.Unsupported("dynatraceSampler", "`sampling` decides");
        var export = http ?? grpc;
        return new OpenTelemetryProvider
        {
            Name = name,
            Service = service(reader),
            Port = port(reader),
            MaxTagLength = reader.Integer("maxTagLength", 1, int.MaxValue),
            HttpPath = http?.Path,
            Timeout = export?.Timeout,
            Headers = export?.Headers ?? [],
        };
    }

    /// <summary><c>defaultProviders</c>, <c>defaultConfig.tracing</c> as read before, and our own key.</summary>
    public static MeshTracing Read(ObjectReader mesh, IReadOnlyList<OpenTelemetryProvider> providers, MeshTracing? proxy)
    {
        var names = mesh.Object("defaultProviders", static r =>
        {
            r.Accept("metrics", "accessLogging");
            return new Names(r.Texts("tracing", static (_, _) => { }));
        })?.Tracing ?? [];
        OpenTelemetryProvider? provider = null;
        foreach (var name in names)
        {
            provider ??= providers.FirstOrDefault(p => p.Name == name);
        }

        if (!names.IsEmpty && provider is null)
        {
            mesh.At("defaultProviders").Warning(
                $"`tracing` names `{names[0]}`, and no OpenTelemetry provider of that name is in `extensionProviders`: nothing is traced",
                "add the provider with `opentelemetry: {service, port}`");
        }

        var tracing = proxy ?? new MeshTracing();
        return tracing with
        {
            Provider = provider,
            MaxPathTagLength = provider?.MaxTagLength ?? tracing.MaxPathTagLength,
            IncludesPrincipal = mesh.Boolean("tracePrincipal") ?? false,
        };
    }

    /// <summary><c>defaultConfig.tracing</c>.</summary>
    public static MeshTracing ReadProxy(ObjectReader reader)
    {
        foreach (var name in OtherTracers)
        {
            if (reader.Has(name))
            {
                reader.At(name).Note("not used by the gateway: spans go to the OpenTelemetry provider of `defaultProviders.tracing`");
            }

            reader.Accept(name);
        }

        reader.Unsupported("enableIstioTags", "spans always have Istio's tags");
        return new MeshTracing
        {
            Sampling = reader.Number("sampling", 0, 100),
            MaxPathTagLength = reader.Integer("maxPathTagLength", 1, int.MaxValue) ?? MeshTracing.DefaultMaxPathTagLength,
            CustomTags = [.. reader.Map("customTags", ReadTag).OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => t.Value with { Name = t.Key })],
        };
    }

    private static Export ReadHttp(ObjectReader reader)
    {
        var path = reader.Text("path") is { Length: > 0 } given ? given : "/v1/traces";
        if (path[0] != '/' || path.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            reader.At("path").Error($"`{path}` is not a path", "begin it with `/`, for example /v1/traces");
        }

        return new Export(path, reader.Duration("timeout"), ReadHeaders(reader, "headers"));
    }

    private static ImmutableArray<ExportHeader> ReadHeaders(ObjectReader reader, string field) => reader.List(field, static (r, _) =>
    {
        var name = r.RequiredText("name");
        if (name.Length > 0 && !Reading.Names.IsToken(name))
        {
            r.At("name").Error($"header name `{name}` is not a valid header name", "use letters, digits, `-` and `_`");
        }

        var (value, variable) = (r.Text("value"), r.Text("envName"));
        if (value is null == variable is null)
        {
            r.Self.Error("a header has either `value` or `envName`", "give one of them");
        }

        return new ExportHeader(name, value ?? variable ?? "", value is null);
    });

    private static CustomTag ReadTag(ObjectReader reader)
    {
        var literal = reader.Object("literal", static r => new CustomTag("", CustomTagSource.Literal, r.RequiredText("value"), ""));
        var header = reader.Object("header", static r => new CustomTag("", CustomTagSource.Header, r.RequiredText("name"), r.Text("defaultValue") ?? ""));
        var variable = reader.Object("environment", static r => new CustomTag("", CustomTagSource.Environment, r.RequiredText("name"), r.Text("defaultValue") ?? ""));
        if ((literal is null ? 0 : 1) + (header is null ? 0 : 1) + (variable is null ? 0 : 1) != 1)
        {
            reader.Self.Error("a custom tag is exactly one of literal, header or environment", "give one");
        }

        return literal ?? header ?? variable ?? new CustomTag("", CustomTagSource.Literal, "", "");
    }

    private sealed record Names(ImmutableArray<string> Tracing);

    private sealed record Export(string? Path, TimeSpan? Timeout, ImmutableArray<ExportHeader> Headers);
}
