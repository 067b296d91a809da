using System.Collections.Immutable;
using OpenTelemetry.Exporter;
using Portcullis.Resources;

namespace Portcullis.Gateway.Telemetry.Tracing;

/// <summary>Where spans go, and which: the mesh configuration with the environment applied.</summary>
internal sealed record TraceSettings
{
    public required Uri Endpoint { get; init; }

    public required OtlpExportProtocol Protocol { get; init; }

    public required TimeSpan Timeout { get; init; }

    /// <summary><c>name=value</c> pairs, comma-separated and percent-encoded as the exporter wants them.</summary>
    public required string Headers { get; init; }

    public required string ServiceName { get; init; }

    /// <summary><c>OTEL_RESOURCE_ATTRIBUTES</c> as given.</summary>
    public required string ResourceAttributes { get; init; }

    /// <summary>Traces begun here that are recorded, 0–1.</summary>
    public required double Ratio { get; init; }

    public required int MaxPathTagLength { get; init; }

    public required bool IncludesPrincipal { get; init; }

    /// <summary>With values of the environment in place.</summary>
    public required ImmutableArray<CustomTag> CustomTags { get; init; }

    /// <summary>Equal settings keep a tracer over a reload.</summary>
    public bool IsSameAs(TraceSettings other) =>
        (this with { CustomTags = [] }) == (other with { CustomTags = [] }) && CustomTags.AsSpan().SequenceEqual(other.CustomTags.AsSpan());

    /// <summary>Never the headers: they hold credentials.</summary>
    public override string ToString() => $"{Endpoint} ({Protocol})";
}
