using System.Globalization;
using Portcullis.Gateway.Pipeline;
using Portcullis.Gateway.Telemetry.Metrics;

namespace Portcullis.Gateway.Telemetry.AccessLogs;

/// <summary><c>%GRPC_STATUS(format)%</c>: Envoy's three ways to write the status of a gRPC request.</summary>
internal static class GrpcStatusText
{
    private static readonly string[] Names =
    [
        "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists", "PermissionDenied", "ResourceExhausted",
        "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented", "Internal", "Unavailable", "DataLoss", "Unauthenticated",
    ];

    private static readonly string[] SnakeNames =
    [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ];

    /// <returns><see langword="null"/> for a format that is none.</returns>
    public static Func<GatewayContext, string?>? Find(string? format) => format switch
    {
        null or "" or "CAMEL_STRING" => static c => Write(c, Names),
        "SNAKE_STRING" => static c => Write(c, SnakeNames),
        "NUMBER" => static c => Write(c, []),
        _ => null,
    };

    private static string? Write(GatewayContext context, string[] names)
    {
        var status = LocalReply.IsGrpc(context.Http.Request) ? GatewayMetrics.GrpcStatus(context.Http) : RequestSeriesTable.NoGrpcStatus;
        return status < 0 ? null : status < names.Length ? names[status] : status.ToString(CultureInfo.InvariantCulture);
    }
}
