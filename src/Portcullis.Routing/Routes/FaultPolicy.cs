using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>Faults to inject after authorization and before CORS (<c>fault</c>; routing.md §2.11). Delay and abort are drawn independently.</summary>
public sealed record FaultPolicy
{
    /// <summary>How long a delayed request waits.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>0–100: share of the requests that wait.</summary>
    public double DelayPercentage { get; init; }

    /// <summary>HTTP status of an aborted request (200 for a gRPC one); body <c>fault filter abort</c>.</summary>
    public int AbortStatus { get; init; }

    /// <summary>gRPC status of an aborted request; <see langword="null"/> for an HTTP abort.</summary>
    public int? AbortGrpcStatus { get; init; }

    /// <summary>0–100: share of the requests that are aborted.</summary>
    public double AbortPercentage { get; init; }

    /// <param name="written"><see langword="null"/> for none.</param>
    /// <param name="unknownGrpcStatus">A gRPC status name that does not exist: the abort is left out.</param>
    /// <returns><see langword="null"/> when nothing would ever be injected.</returns>
    internal static FaultPolicy? Compile(HttpFaultInjection? written, out string? unknownGrpcStatus)
    {
        unknownGrpcStatus = null;
        var delay = written?.Delay is { Percentage: > 0, FixedDelay.Ticks: > 0 } d ? d : null;
        var abort = written?.Abort is { Percentage: > 0 } a ? a : null;
        int? grpc = null;
        if (abort?.GrpcStatus is { } name)
        {
            grpc = Array.IndexOf(GrpcStatusNames, name.ToUpperInvariant());
            if (grpc < 0)
            {
                unknownGrpcStatus = name;
                abort = null;
            }
        }

        return delay is null && abort is null ? null : new()
        {
            Delay = delay?.FixedDelay ?? TimeSpan.Zero,
            DelayPercentage = delay?.Percentage ?? 0,
            AbortStatus = abort is null ? 0 : abort.HttpStatus ?? 200,
            AbortGrpcStatus = abort is null ? null : grpc,
            AbortPercentage = abort?.Percentage ?? 0,
        };
    }

    /// <summary>In the order of their codes.</summary>
    private static readonly string[] GrpcStatusNames =
    [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
}
