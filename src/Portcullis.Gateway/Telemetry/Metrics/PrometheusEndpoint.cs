using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using Portcullis.Gateway.Jwks;

namespace Portcullis.Gateway.Telemetry.Metrics;

/// <summary>
/// Serves the instruments, the request series and the process' own figures in Prometheus' format, on its own service provider: made only when the port is open.
/// </summary>
internal sealed class PrometheusEndpoint : IAsyncDisposable
{
    private const string Path = "/stats/prometheus";

    /// <summary>.NET's own instruments: collections, heap, thread pool, exceptions.</summary>
    private const string RuntimeMeter = "System.Runtime";

    private readonly ServiceProvider _services;
    private readonly GatewayMetrics _metrics;
    private readonly RequestDelegate _instruments;

    public PrometheusEndpoint(GatewayMetrics metrics)
    {
        _metrics = metrics;
        metrics.IsEnabled = true;
        var services = new ServiceCollection();
        services.AddOpenTelemetry().ConfigureResource(static r => r.AddService("portcullis")).WithMetrics(builder => builder
            .AddMeter(GatewayMetrics.MeterName, RemoteJwksResolver.MeterName, RuntimeMeter)
            .AddPrometheusExporter(o => o.ScrapeResponseCacheDurationMilliseconds = 0));
        _services = services.BuildServiceProvider();
        var provider = _services.GetRequiredService<MeterProvider>();
        var application = new ApplicationBuilder(_services);
        application.UseOpenTelemetryPrometheusScrapingEndpoint(provider, predicate: static _ => true, null, null, null);
        _instruments = application.Build();
    }

    /// <summary>Answers a scrape of <c>/stats/prometheus</c>; anything else is 404.</summary>
    public async Task HandleAsync(HttpContext http)
    {
        var response = http.Response;
        if (http.Request.Path != Path)
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        // Both halves in one format, the text one, which every scraper reads; and neither compressed, for they become one body.
        http.Request.Headers.Accept = "text/plain";
        http.Request.Headers.AcceptEncoding = default;
        using var instruments = new MemoryStream();
        var body = response.Body;
        response.Body = instruments;
        try
        {
            await _instruments(http);
        }
        finally
        {
            response.Body = body;
        }

        var text = new PrometheusText();
        _metrics.Write(text);
        ProcessStatistics.Write(text);
        var rest = Encoding.UTF8.GetBytes(text.ToString());
        response.StatusCode = StatusCodes.Status200OK;
        response.Headers.Vary = default;
        response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        response.ContentLength = instruments.Length + rest.Length;
        if (HttpMethods.IsHead(http.Request.Method))
        {
            return;
        }

        await response.Body.WriteAsync(instruments.GetBuffer().AsMemory(0, (int)instruments.Length), http.RequestAborted);
        await response.Body.WriteAsync(rest, http.RequestAborted);
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
