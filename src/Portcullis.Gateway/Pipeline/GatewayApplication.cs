using System.Diagnostics;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Decisions;
using Portcullis.Gateway.Limits;
using Portcullis.Gateway.Listeners;
using Portcullis.Gateway.Telemetry.Metrics;
using Portcullis.Routing;

namespace Portcullis.Gateway.Pipeline;

/// <summary>
/// Kestrel's view of one listener: reads the snapshot once, runs the stages, and writes the access log when the response is complete.
/// </summary>
internal sealed partial class GatewayApplication(
    ListenerKey key,
    SnapshotHolder<GatewaySnapshot> snapshots,
    RequestPipeline pipeline,
    GatewayMetrics metrics,
    DecisionRecorder? decisions,
    OverloadGuard guard,
    ListenerLoad load,
    GatewayLimits limits,
    TimeProvider time,
    ILogger logger) : IHttpApplication<GatewayContext>
{
    public GatewayContext CreateContext(IFeatureCollection contextFeatures)
    {
        var container = contextFeatures as IHostContextContainer<GatewayContext>;
        var context = container?.HostContext ?? new GatewayContext();
        if (container is not null)
        {
            container.HostContext = context;
        }

        context.Http.Initialize(contextFeatures);
        context.Reset();
        context.Snapshot = snapshots.Current;
        context.Listener = context.Snapshot.FindListener(key);
        FindHosts(context, contextFeatures);
        context.StartTimestamp = Stopwatch.GetTimestamp();
        context.StartTime = time.GetUtcNow();
        context.TellsDecisionId = decisions is not null && !context.Snapshot.IsIstioExact;
        context.CountsChunkedBodies = metrics.IsEnabled;
        metrics.Begin();
        context.Trace = context.Snapshot.Tracer?.Begin(context);
        return context;
    }

    /// <summary>
    /// A connection stays with what it was opened for. Where the configuration no longer has that, this request is its last: it is served by the
    /// configuration in force, and the connection ends behind it.
    /// </summary>
    private static void FindHosts(GatewayContext context, IFeatureCollection features)
    {
        var downstream = context.Downstream = features.Get<DownstreamConnection>();
        bool isCurrent;
        if (downstream?.Origin is null)
        {
            context.Hosts = context.Listener?.Hosts ?? VirtualHostTable.Empty;
            isCurrent = context.Listener?.Protocol is null or ListenerProtocol.Http;
        }
        else
        {
            context.Hosts = downstream.ChainIn(context.Snapshot, context.Listener, out isCurrent)?.Hosts ?? VirtualHostTable.Empty;
        }

        if (!isCurrent)
        {
            features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        }
    }

    public async Task ProcessRequestAsync(GatewayContext context)
    {
        try
        {
            if (context.Snapshot.AccessLog is not null || context.CountsChunkedBodies)
            {
                context.CountRequestBody();
            }

            load.CountRequest(context.Http.Features);
            if (guard.TryBeginRequest() is not ShedReason.None)
            {
                await LocalReply.SendOverloadedAsync(context);
                return;
            }

            context.IsAdmitted = true;
            if (limits.HoldsBodies)
            {
                if (context.Http.Request.ContentLength > limits.RequestBodyBytes && limits.RequestBodyBytes > 0)
                {
                    await LocalReply.SendBodyRefusedAsync(context, StatusCodes.Status413PayloadTooLarge);
                    return;
                }

                context.WatchRequestBody();
            }

            await pipeline.InvokeAsync(context);
        }
        catch (Exception e) when (!context.Http.RequestAborted.IsCancellationRequested && e is not BadHttpRequestException)
        {
            // A fault of ours is never a reason to let a request through: the client sees 500, the log the cause.
            LogFault(logger, context.Http.Request.Method, Policy.Explanation.SecretRedaction.Target(context.RawTarget), e);
            if (context.Http.Response.HasStarted)
            {
                context.Http.Abort();
                return;
            }

            context.Http.Response.Clear();
            await LocalReply.SendAsync(context, StatusCodes.Status500InternalServerError, "", LocalReply.InternalError);
        }
        catch (Exception e) when (context.Http.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            context.ClientWentAway();
        }
    }

    public void DisposeContext(GatewayContext context, Exception? exception)
    {
        if (exception is BadHttpRequestException)
        {
            context.ResponseFlags ??= "DPE";
        }

        if (context.Trace is { } trace)
        {
            trace.Tracer.End(context, trace);
        }

        if (context.IsAdmitted)
        {
            guard.EndRequest();
        }

        metrics.Record(context);
        decisions?.Record(context);
        context.Snapshot.AccessLog?.Write(context);
        context.Http.Uninitialize();
        context.Release();
    }

    [LoggerMessage(EventId = 2001, Level = LogLevel.Error, Message = "the gateway failed on {Method} {Target}")]
    private static partial void LogFault(ILogger logger, string method, string target, Exception exception);
}
