using Portcullis.Gateway.Telemetry.Metrics;

namespace Portcullis.Gateway.Forwarding;

/// <summary>What the way to a backend needs of the gateway.</summary>
/// <param name="Forwarder">Moves the bytes.</param>
/// <param name="Mirrors">Sends copies.</param>
/// <param name="Time">The clock of timeouts and back-offs.</param>
/// <param name="Metrics">Counts; <see langword="null"/> counts nothing.</param>
internal sealed record UpstreamServices(Forwarder Forwarder, MirrorSender Mirrors, TimeProvider Time, UpstreamMetrics? Metrics);
