using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Forwarding.Http1;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Forwarding;

/// <summary>Sends what the lean HTTP/1.1 forwarder can do there, and all else (TLS, HTTP/2, upgraded connections) to YARP's.</summary>
internal sealed class ForwarderSelector : Forwarder, IDisposable
{
    private readonly Http1Forwarder? _lean;

    private ForwarderSelector(Http1Forwarder? lean, YarpForwarder full) => (_lean, Yarp) = (lean, full);

    /// <summary>The one that can carry everything.</summary>
    public YarpForwarder Yarp { get; }

    /// <summary>Makes the forwarders that the operator wants.</summary>
    public static ForwarderSelector Create(UpstreamClient client, IServiceProvider services, TimeProvider time) =>
        new(client == UpstreamClient.Lean ? new Http1Forwarder(time) : null, new YarpForwarder(services));

    /// <inheritdoc/>
    public override ValueTask<ForwardResult> ForwardAsync(GatewayContext context, CancellationToken cancellationToken) =>
        _lean is not null && IsLean(context) ? _lean.ForwardAsync(context, cancellationToken) : Yarp.ForwardAsync(context, cancellationToken);

    public void Dispose()
    {
        _lean?.Dispose();
        Yarp.Dispose();
    }

    private static bool IsLean(GatewayContext context) =>
        context.Upstream.Cluster!.Profile.Tls is null && !context.UsesHttp2Upstream && !context.IsUpgrade && !HttpMethods.IsConnect(context.Http.Request.Method);
}
