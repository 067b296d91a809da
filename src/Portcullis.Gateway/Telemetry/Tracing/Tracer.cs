using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Telemetry.Tracing;

/// <summary>
/// Makes one server span per sampled request and hands it to an exporter, for one set of settings. A source of its own per tracer, so that two of
/// them, at a reload, never get each other's spans.
/// </summary>
internal sealed class Tracer : IAsyncDisposable
{
    /// <summary>Most spans that wait for a collector; the OpenTelemetry default.</summary>
    public const int QueueCapacity = 2048;

    private const int BatchSize = 512;
    private const int ShutdownMilliseconds = 2000;

    /// <summary>Spans reach the collector after this time at the latest; OpenTelemetry's own is five seconds.</summary>
    private const int DelayMilliseconds = 1000;

    private readonly ActivitySource _source = new("Portcullis.Gateway");
    private readonly ActivityListener _listener;
    private readonly TracerProvider _provider;
    private readonly BatchActivityExportProcessor _queue;
    private readonly SpanExporter _exporter;
    private int _inFlight;
    private int _retired;
    private int _disposed;

    public Tracer(TraceSettings settings, TraceStatistics statistics, ILogger logger)
    {
        Settings = settings;
        _exporter = SpanExporter.Create(settings, statistics, logger);
        _queue = new BatchActivityExportProcessor(_exporter, QueueCapacity, DelayMilliseconds, exporterTimeoutMilliseconds: (int)settings.Timeout.TotalMilliseconds, BatchSize);
        // The provider only tells the exporter whose spans these are.
        _provider = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(Resource(settings)).AddProcessor(_queue).Build();
        _listener = new ActivityListener
        {
            ShouldListenTo = source => ReferenceEquals(source, _source),
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public TraceSettings Settings { get; }

    /// <summary>Begins the trace of a request, or goes on with its caller's, whose decision to record it is kept.</summary>
    public RequestTrace Begin(GatewayContext context)
    {
        Interlocked.Increment(ref _inFlight);
        var headers = context.Http.Request.Headers;
        var continues = TraceParent.TryParse(headers.TraceParent, out var parent);
        var isSampled = continues ? parent.IsSampled : Settings.Ratio >= 1 || (Settings.Ratio > 0 && Random.Shared.NextDouble() < Settings.Ratio);
        var span = isSampled ? Start(context, continues ? parent : null, headers.TraceState.ToString()) : null;
        var own = span is not null
            ? new TraceParent(span.TraceId, span.SpanId, parent.FlagsWith(sampled: true))
            : new TraceParent(continues ? parent.TraceId : ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), parent.FlagsWith(sampled: false));
        return new RequestTrace(this, own, continues, span);
    }

    /// <summary>Ends a request's span.</summary>
    public void End(GatewayContext context, RequestTrace trace)
    {
        if (trace.Span is { } span)
        {
            SpanTags.Write(span, context, Settings);
            span.Stop();
        }

        if (Interlocked.Decrement(ref _inFlight) == 0 && Volatile.Read(ref _retired) == 1)
        {
            DisposeBeside();
        }
    }

    /// <summary>No new request uses it: it ends with the last one in flight.</summary>
    public void Retire()
    {
        Volatile.Write(ref _retired, 1);
        if (Volatile.Read(ref _inFlight) == 0)
        {
            DisposeBeside();
        }
    }

    /// <summary>Sends what waits, for two seconds at most.</summary>
    public ValueTask DisposeAsync() => Interlocked.Exchange(ref _disposed, 1) == 0 ? new(Task.Run(Release)) : ValueTask.CompletedTask;

    private void DisposeBeside()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _ = Task.Run(Release);
        }
    }

    private void Release()
    {
        _listener.Dispose();
        _source.Dispose();
        _queue.Shutdown(ShutdownMilliseconds);
        _provider.Dispose();
    }

    private Activity? Start(GatewayContext context, TraceParent? parent, string state)
    {
        var remote = parent is { } p
            ? new ActivityContext(p.TraceId, p.SpanId, (ActivityTraceFlags)p.Flags, state.Length == 0 ? null : state, isRemote: true)
            : default;
        // Whatever runs around the gateway is no parent of its requests, nor is a request the parent of what the gateway does beside it.
        var ambient = Activity.Current;
        Activity.Current = null;
        var span = _source.CreateActivity(context.Http.Request.Method, ActivityKind.Server, remote)?.SetStartTime(context.StartTime.UtcDateTime).Start();
        Activity.Current = ambient;
        return span;
    }

    private void Enqueue(Activity span)
    {
        if (_exporter.TryReserve(QueueCapacity))
        {
            _queue.OnEnd(span);
        }
    }

    private static ResourceBuilder Resource(TraceSettings settings)
    {
        var attributes = settings.ResourceAttributes.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(a => a.Split('=', 2))
            .Where(a => a is [{ Length: > 0 }, _])
            .Select(a => KeyValuePair.Create<string, object>(a[0], Uri.UnescapeDataString(a[1])));
        return ResourceBuilder.CreateEmpty().AddAttributes(attributes).AddService(settings.ServiceName).AddTelemetrySdk();
    }
}
