using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using Portcullis.Gateway.Jwks;

namespace Portcullis.Gateway.Telemetry.Metrics;

/// <summary>Serves the instruments in Prometheus' format, on its own service provider: made only when the port is open.</summary>
internal sealed class PrometheusEndpoint : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public PrometheusEndpoint()
    {
        var services = new ServiceCollection();
        services.AddOpenTelemetry().ConfigureResource(static r => r.AddService("portcullis")).WithMetrics(metrics => metrics
            .AddMeter(GatewayMetrics.MeterName, RemoteJwksResolver.MeterName)
            .AddPrometheusExporter(o => o.ScrapeResponseCacheDurationMilliseconds = 0));
        _services = services.BuildServiceProvider();
        var provider = _services.GetRequiredService<MeterProvider>();
        var application = new ApplicationBuilder(_services);
        application.UseOpenTelemetryPrometheusScrapingEndpoint(provider, predicate: context => context.Request.Path == "/stats/prometheus", null, null, null);
        Handle = application.Build();
    }

    /// <summary>Answers a scrape of <c>/stats/prometheus</c>; anything else is 404.</summary>
    public RequestDelegate Handle { get; }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
