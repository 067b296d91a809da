namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates <c>fault</c> (routing.md §2.11).</summary>
internal static class FaultReader
{
    private static readonly string[] GrpcStatuses =
    [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ];

    public static HttpFaultInjection Read(ObjectReader reader)
    {
        var fault = new HttpFaultInjection { Delay = reader.Object("delay", ReadDelay), Abort = reader.Object("abort", ReadAbort) };
        if (fault.Delay is null && fault.Abort is null)
        {
            reader.Self.Error("HTTP fault injection must have an abort and/or a delay", "add one, or remove fault", ProblemCodes.MissingField);
        }

        return fault;
    }

    /// <summary><c>{value: 0.5}</c>, in percent.</summary>
    public static double? Percentage(ObjectReader reader, string name) =>
        reader.Object(name, static r => new Percent(r.Number("value", 0, 100) ?? 0))?.Value;

    private static FaultDelay ReadDelay(ObjectReader reader)
    {
        reader.Unsupported("exponentialDelay", "no delay is injected");
        var percent = reader.Integer("percent", 0, 100);
        var percentage = Percentage(reader, "percentage");
        var delay = reader.Duration("fixedDelay");
        if (delay is null && !reader.Has("fixedDelay") && !reader.Has("exponentialDelay"))
        {
            reader.At("fixedDelay").Error("delay must have fixedDelay", "add fixedDelay: 5s", ProblemCodes.MissingField);
        }

        Never(reader, percent is null && percentage is null, "delay");
        return new(delay ?? TimeSpan.Zero, percentage ?? percent ?? 0);
    }

    private static FaultAbort ReadAbort(ObjectReader reader)
    {
        reader.Unsupported("http2Error", "no fault is injected");
        var http = reader.Integer("httpStatus", 200, 599, "use a status from 200 to 599");
        var grpc = reader.Text("grpcStatus");
        var percentage = Percentage(reader, "percentage");
        if (http is null && grpc is null && !reader.Has("httpStatus") && !reader.Has("http2Error"))
        {
            reader.Self.Error("abort must have httpStatus or grpcStatus", "add httpStatus: 503", ProblemCodes.MissingField);
        }
        else if (http is not null && grpc is not null)
        {
            reader.At("grpcStatus").Error("only one of httpStatus or grpcStatus can be set", "keep one of the two");
        }

        if (grpc is not null && !GrpcStatuses.Contains(grpc.ToUpperInvariant()) && !(int.TryParse(grpc, out var code) && code is >= 0 and <= 16))
        {
            reader.At("grpcStatus").Error($"gRPC status `{grpc}` is not supported", $"use one of {string.Join(", ", GrpcStatuses)}");
        }

        Never(reader, percentage is null, "fault");
        return new(http, grpc, percentage ?? 0);
    }

    private static void Never(ObjectReader reader, bool without, string what)
    {
        if (without)
        {
            reader.Self.Warning($"without percentage the {what} is never injected", "add percentage: {value: 100}");
        }
    }

    private sealed record Percent(double Value);
}
