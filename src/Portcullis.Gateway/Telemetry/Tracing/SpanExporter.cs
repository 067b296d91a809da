using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;

namespace Portcullis.Gateway.Telemetry.Tracing;

/// <summary>
/// OTLP's exporter, which says once when the collector stops taking spans and once when it takes them again, and counts. Runs on the exporter's own
/// thread: however long a collector hangs, no request waits.
/// </summary>
internal sealed partial class SpanExporter : OtlpTraceExporter
{
    private readonly TraceSettings _settings;
    private readonly TraceStatistics _statistics;
    private readonly ILogger _logger;
    private readonly LastFailure _failure;
    private bool _fails;
    private long _pending;

    private SpanExporter(TraceSettings settings, TraceStatistics statistics, ILogger logger, LastFailure failure, OtlpExporterOptions options)
        : base(options)
    {
        _settings = settings;
        _statistics = statistics;
        _logger = logger;
        _failure = failure;
    }

    public static SpanExporter Create(TraceSettings settings, TraceStatistics statistics, ILogger logger)
    {
        var failure = new LastFailure();
        return new SpanExporter(settings, statistics, logger, failure, new OtlpExporterOptions
        {
            Endpoint = settings.Endpoint,
            Protocol = settings.Protocol,
            Headers = settings.Headers,
            TimeoutMilliseconds = (int)settings.Timeout.TotalMilliseconds,
            HttpClientFactory = () => new HttpClient(failure) { Timeout = settings.Timeout },
        });
    }

    /// <summary>Takes a place in the queue.</summary>
    /// <returns><see langword="false"/> when it is full: the span is dropped.</returns>
    public bool TryReserve(int capacity)
    {
        if (Interlocked.Increment(ref _pending) <= capacity)
        {
            return true;
        }

        Interlocked.Decrement(ref _pending);
        _statistics.AddDropped();
        return false;
    }

    /// <inheritdoc/>
    public override ExportResult Export(in Batch<Activity> activityBatch)
    {
        var count = activityBatch.Count;
        _failure.Reason = null;
        var result = base.Export(in activityBatch);
        Interlocked.Add(ref _pending, -count);
        if (result == ExportResult.Success)
        {
            _statistics.AddExported(count);
            if (_fails)
            {
                _fails = false;
                LogRecovered(_logger, _settings.Endpoint);
            }
        }
        else
        {
            _statistics.AddFailed(count);
            if (!_fails)
            {
                _fails = true;
                LogFailing(_logger, _settings.Endpoint, _failure.Reason ?? "it refused them");
            }
        }

        return result;
    }

    [LoggerMessage(EventId = 3101, Level = LogLevel.Warning, Message = "traces: the collector {Endpoint} does not take spans: {Reason}; they are dropped, requests do not wait")]
    private static partial void LogFailing(ILogger logger, Uri endpoint, string reason);

    [LoggerMessage(EventId = 3102, Level = LogLevel.Information, Message = "traces: the collector {Endpoint} takes spans again")]
    private static partial void LogRecovered(ILogger logger, Uri endpoint);

    /// <summary>Sends, and remembers what went wrong, which the exporter keeps to itself.</summary>
    private sealed class LastFailure() : DelegatingHandler(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ActivityHeadersPropagator = null,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        public string? Reason { get; set; }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return Judge(base.Send(request, cancellationToken));
            }
            catch (Exception e)
            {
                Reason = Explain(e);
                throw;
            }
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return Judge(await base.SendAsync(request, cancellationToken));
            }
            catch (Exception e)
            {
                Reason = Explain(e);
                throw;
            }
        }

        private HttpResponseMessage Judge(HttpResponseMessage response)
        {
            if (response.StatusCode != HttpStatusCode.OK)
            {
                Reason = $"it answers {(int)response.StatusCode}";
            }

            return response;
        }

        private static string Explain(Exception exception) => exception is OperationCanceledException ? "it does not answer in time" : exception.GetBaseException().Message;
    }
}
