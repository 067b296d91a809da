using System.Diagnostics;
using System.Diagnostics.Metrics;
using BenchmarkDotNet.Attributes;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using Portcullis.Gateway.Telemetry.Metrics;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Benchmarks;

/// <summary>What counting one request costs: in our own series, and with the instruments of OpenTelemetry and the same labels.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class MetricsBenchmarks : IDisposable
{
    private readonly RequestSeriesTable _table = new(SourceLabels.Render(new WorkloadIdentity()));
    private readonly Meter _meter = new("Benchmark");
    private readonly Cluster _cluster = new()
    {
        Name = "outbound|80||a.default.svc.cluster.local",
        Host = "a.default.svc.cluster.local",
        Namespace = "default",
        Port = 80,
        Source = new ResourceId("Service", "default", "a"),
    };

    private MeterProvider _provider = null!;
    private Counter<long> _requests = null!;
    private Histogram<double> _duration = null!;
    private Histogram<long> _received = null!;
    private Histogram<long> _sent = null!;

    [GlobalSetup]
    public void Setup()
    {
        _requests = _meter.CreateCounter<long>("istio_requests");
        _duration = _meter.CreateHistogram<double>("istio_request_duration_milliseconds");
        _received = _meter.CreateHistogram<long>("istio_request_bytes");
        _sent = _meter.CreateHistogram<long>("istio_response_bytes");
        _provider = Sdk.CreateMeterProviderBuilder().AddMeter("Benchmark").AddReader(new BaseExportingMetricReader(new NoExporter())).Build();
    }

    [Benchmark(Baseline = true)]
    public void OwnSeries() => _table.Find(_cluster, "10.0.0.5:8080", 200, null, false, RequestSeriesTable.NoGrpcStatus).Add(TimeSpan.FromMilliseconds(3), 0, 512);

    /// <summary>As it was: five labels, and no histograms of bytes.</summary>
    [Benchmark]
    public void InstrumentsWithFiveLabels()
    {
        var tags = new TagList
        {
            { "reporter", "source" }, { "response_code", "200" }, { "response_flags", "-" }, { "destination_service", _cluster.Host }, { "request_protocol", "http" },
        };
        _requests.Add(1, tags);
        _duration.Record(3, tags);
    }

    [Benchmark]
    public void InstrumentsWithIstiosLabels()
    {
        var tags = new TagList
        {
            { "reporter", "source" }, { "source_workload", "unknown" }, { "source_canonical_service", "unknown" }, { "source_canonical_revision", "latest" },
            { "source_workload_namespace", "istio-system" }, { "source_principal", "unknown" }, { "source_app", "unknown" }, { "source_version", "unknown" },
            { "source_cluster", "unknown" }, { "destination_workload", "unknown" }, { "destination_workload_namespace", "unknown" },
            { "destination_principal", "unknown" }, { "destination_app", "unknown" }, { "destination_version", "unknown" }, { "destination_service", _cluster.Host },
            { "destination_canonical_service", "unknown" }, { "destination_canonical_revision", "unknown" }, { "destination_service_name", "a" },
            { "destination_service_namespace", "default" }, { "destination_cluster", "unknown" }, { "request_protocol", "http" }, { "response_code", "200" },
            { "grpc_response_status", "" }, { "response_flags", "-" }, { "connection_security_policy", "unknown" },
        };
        _requests.Add(1, tags);
        _duration.Record(3, tags);
        _received.Record(0, tags);
        _sent.Record(512, tags);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>BenchmarkDotNet derives from the class, so it cannot be sealed.</summary>
    protected virtual void Dispose(bool disposing)
    {
        _provider?.Dispose();
        _meter.Dispose();
    }

    /// <summary>Without a reader the instruments would not count at all.</summary>
    private sealed class NoExporter : BaseExporter<Metric>
    {
        public override ExportResult Export(in Batch<Metric> batch) => ExportResult.Success;
    }
}
