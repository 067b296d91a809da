using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>Tracing as the mesh configuration asks for it: <c>defaultProviders.tracing</c> and <c>defaultConfig.tracing</c>.</summary>
public sealed record MeshTracing
{
    /// <summary>Longest path in a span where the configuration says nothing, in characters.</summary>
    public const int DefaultMaxPathTagLength = 256;

    /// <summary>The provider that <c>defaultProviders.tracing</c> names; <see langword="null"/> when it names none.</summary>
    public OpenTelemetryProvider? Provider { get; init; }

    /// <summary><c>defaultConfig.tracing.sampling</c>: percent of the traces begun here, 0–100; <see langword="null"/> when not given, which is 1.</summary>
    public double? Sampling { get; init; }

    /// <summary><c>defaultConfig.tracing.maxPathTagLength</c>, or the provider's <c>maxTagLength</c>, in characters.</summary>
    public int MaxPathTagLength { get; init; } = DefaultMaxPathTagLength;

    /// <summary><c>defaultConfig.tracing.customTags</c>, in order of their names.</summary>
    public ImmutableArray<CustomTag> CustomTags { get; init; } = [];

    /// <summary><c>tracePrincipal</c> (Portcullis' own): spans name who sent the request. Personal data, so off by default.</summary>
    public bool IncludesPrincipal { get; init; }
}

/// <summary>Where a custom tag of spans takes its value from.</summary>
public enum CustomTagSource
{
    /// <summary>The value itself.</summary>
    Literal,

    /// <summary>A request header.</summary>
    Header,

    /// <summary>A variable of the gateway's environment.</summary>
    Environment,
}

/// <summary>A tag of every span (<c>customTags</c>).</summary>
/// <param name="Name">Name of the tag.</param>
/// <param name="Source">Kind of the value.</param>
/// <param name="Value">Literal value, or name of the header or variable.</param>
/// <param name="DefaultValue">Used where the header or variable is absent; empty leaves the tag out.</param>
public sealed record CustomTag(string Name, CustomTagSource Source, string Value, string DefaultValue);

/// <summary>A collector that speaks OTLP (<c>extensionProviders[].opentelemetry</c>).</summary>
public sealed record OpenTelemetryProvider
{
    /// <summary>Unique name.</summary>
    public required string Name { get; init; }

    /// <summary><c>[namespace/]fqdn</c>.</summary>
    public required string Service { get; init; }

    /// <summary>1–65535.</summary>
    public required int Port { get; init; }

    /// <summary><c>maxTagLength</c>, in characters; <see langword="null"/> when not given.</summary>
    public int? MaxTagLength { get; init; }

    /// <summary>OTLP over HTTP with this path (<c>http.path</c>); <see langword="null"/> is gRPC.</summary>
    public string? HttpPath { get; init; }

    /// <summary>Limit per export (<c>http.timeout</c>, <c>grpc.timeout</c>); <see langword="null"/> is the exporter's 10 s.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Sent with each export (<c>http.headers</c>, <c>grpc.initialMetadata</c>).</summary>
    public ImmutableArray<ExportHeader> Headers { get; init; } = [];
}

/// <summary>A header of exports.</summary>
/// <param name="Name">Header name.</param>
/// <param name="Value">Its value, or the name of the environment variable that holds it.</param>
/// <param name="IsVariable"><c>envName</c> instead of <c>value</c>.</param>
public sealed record ExportHeader(string Name, string Value, bool IsVariable)
{
    /// <summary>The name only: the value is often a credential.</summary>
    public override string ToString() => Name;
}
