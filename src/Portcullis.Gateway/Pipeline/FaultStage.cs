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
        var isGrpc = LocalReply.IsGrpc(context.Http.Request);
        var status = fault.AbortGrpcStatus is { } code && !isGrpc ? HttpStatusOf(code) : fault.AbortStatus;
        await LocalReply.SendAsync(context, status, "fault filter abort", "fault_filter_abort");
        if (isGrpc && fault.AbortGrpcStatus is { } grpc)
        {
            context.Http.Response.Headers["grpc-status"] = grpc.ToString(CultureInfo.InvariantCulture);
        }

        return true;
    }

    /// <summary>What a gRPC status is to a client that does not speak gRPC (Envoy's <c>grpcToHttpStatus</c>).</summary>
    private static int HttpStatusOf(int grpc) => grpc switch
    {
        0 => 200,
        1 => 499,
        3 or 9 or 11 => 400,
        4 => 504,
        5 => 404,
        6 or 10 => 409,
        7 => 403,
        8 => 429,
        12 => 501,
        14 => 503,
        16 => 401,
        _ => 500,
    };

    private static bool IsDrawn(double percentage) => percentage > 0 && Random.Shared.NextDouble() * 100 < percentage;
}
