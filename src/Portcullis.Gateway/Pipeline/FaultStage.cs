using System.Globalization;
using Portcullis.Routing;

namespace Portcullis.Gateway.Pipeline;

/// <summary>Injects the faults of a route (routing.md §2.11): the delay first, then the abort, each drawn by itself.</summary>
internal static class FaultStage
{
    /// <returns><see langword="true"/> when the request was answered.</returns>
    public static async ValueTask<bool> InjectAsync(GatewayContext context, FaultPolicy fault, TimeProvider time)
    {
        if (IsDrawn(fault.DelayPercentage))
        {
            context.ResponseFlags = "DI";
            await Task.Delay(fault.Delay, time, context.Http.RequestAborted);
        }

        if (!IsDrawn(fault.AbortPercentage))
        {
            return false;
        }

        context.ResponseFlags = context.ResponseFlags is null ? "FI" : "DI,FI";
        await LocalReply.SendAsync(context, fault.AbortStatus, "fault filter abort", "fault_filter_abort");
        if (fault.AbortGrpcStatus is { } grpc)
        {
            context.Http.Response.Headers["grpc-status"] = grpc.ToString(CultureInfo.InvariantCulture);
        }

        return true;
    }

    private static bool IsDrawn(double percentage) => percentage > 0 && Random.Shared.NextDouble() * 100 < percentage;
}
