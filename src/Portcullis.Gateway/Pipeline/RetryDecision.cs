using Portcullis.Gateway.Forwarding;
using Portcullis.Routing;

namespace Portcullis.Gateway.Pipeline;

/// <summary>Whether a retry policy wants another try (routing.md §2.10; Envoy's <c>x-envoy-retry-on</c> and <c>x-envoy-retry-grpc-on</c>).</summary>
internal static class RetryDecision
{
    private const RetryConditions GrpcStatuses = RetryConditions.GrpcCancelled | RetryConditions.GrpcDeadlineExceeded | RetryConditions.GrpcInternal
        | RetryConditions.GrpcResourceExhausted | RetryConditions.GrpcUnavailable;

    /// <summary>For a response, of which only the head is known.</summary>
    /// <param name="policy">The route's.</param>
    /// <param name="status">HTTP status.</param>
    /// <param name="grpcStatus"><c>grpc-status</c> among the headers (a trailers-only response); <see langword="null"/> when it is not there.</param>
    /// <param name="isRateLimited">The response has <c>x-envoy-ratelimited</c>: no other condition looks at it then.</param>
    public static bool WantsRetry(RetryPolicy policy, int status, string? grpcStatus, bool isRateLimited)
    {
        var conditions = policy.RetryOn;
        if (isRateLimited)
        {
            return Has(conditions, RetryConditions.RateLimited);
        }

        return (status >= 500 && Has(conditions, RetryConditions.ServerError))
            || (status is 502 or 503 or 504 && Has(conditions, RetryConditions.GatewayError))
            || (status == 409 && Has(conditions, RetryConditions.RetriableClientError))
            || (Has(conditions, RetryConditions.StatusCodes) && policy.StatusCodes.AsSpan().BinarySearch(status) >= 0)
            || (grpcStatus is not null && Has(conditions, GrpcStatuses) && Has(conditions, OfGrpc(grpcStatus)));
    }

    /// <summary>For an attempt that brought no response.</summary>
    public static bool WantsRetry(RetryPolicy policy, ForwardOutcome outcome)
    {
        // Whatever kept the backend from answering would have become a 503 or 504.
        const RetryConditions AnyReset = RetryConditions.Reset | RetryConditions.ServerError | RetryConditions.GatewayError;
        var wanted = outcome switch
        {
            ForwardOutcome.ConnectFailed or ForwardOutcome.ConnectTimeout => AnyReset | RetryConditions.ConnectFailure | RetryConditions.ResetBeforeRequest,
            ForwardOutcome.RefusedStream => AnyReset | RetryConditions.RefusedStream,
            ForwardOutcome.ClosedBeforeResponse or ForwardOutcome.Reset or ForwardOutcome.ConnectReset or ForwardOutcome.ProtocolError or ForwardOutcome.Canceled => AnyReset,
            _ => RetryConditions.None,
        };
        return Has(policy.RetryOn, wanted);
    }

    private static bool Has(RetryConditions conditions, RetryConditions any) => (conditions & any) != 0;

    private static RetryConditions OfGrpc(string status) => status switch
    {
        "1" => RetryConditions.GrpcCancelled,
        "4" => RetryConditions.GrpcDeadlineExceeded,
        "8" => RetryConditions.GrpcResourceExhausted,
        "13" => RetryConditions.GrpcInternal,
        "14" => RetryConditions.GrpcUnavailable,
        _ => RetryConditions.None,
    };
}
