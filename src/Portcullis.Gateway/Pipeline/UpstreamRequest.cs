using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Portcullis.Gateway.Forwarding;
using Portcullis.Routing;

namespace Portcullis.Gateway.Pipeline;

/// <summary>
/// One request on its way to a cluster: picks an endpoint, forwards, and tries again as the route says (routing.md §2.9, §2.10). Reused with its context.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "RunAsync disposes of what it makes; the object serves many requests.")]
internal sealed class UpstreamRequest(GatewayContext context)
{
    private RetryPolicy _policy = RetryPolicy.Off;
    private TryTimer? _timer;
    private ReplayBody? _body;
    private bool _retriesExhausted;
    private bool _headAccepted;

    /// <summary>What the current try may take, as the backend is told; <see langword="null"/> is no limit.</summary>
    public TimeSpan? ExpectedTimeout { get; private set; }

    /// <summary>Forwards until there is an answer, the backend's or our own.</summary>
    public async Task RunAsync(ForwardAction action, Forwarder forwarder, TimeProvider time)
    {
        Begin(action, time);
        try
        {
            await TryAllAsync(forwarder, time);
        }
        finally
        {
            _timer?.Dispose();
            _body?.Dispose();
            (_timer, _body) = (null, null);
        }
    }

    /// <summary>
    /// Whether a response goes to the client. Asked by the forwarder when it has the head and nothing has gone to the client; a head that is not accepted ends
    /// the try with <see cref="ForwardOutcome.HeadRejected"/>.
    /// </summary>
    /// <param name="status">HTTP status.</param>
    /// <param name="grpcStatus"><c>grpc-status</c> among the headers; <see langword="null"/> when it is not there.</param>
    /// <param name="isRateLimited">The response has <c>x-envoy-ratelimited</c>.</param>
    public bool AcceptsHead(int status, string? grpcStatus, bool isRateLimited)
    {
        if (RetryDecision.WantsRetry(_policy, status, grpcStatus, isRateLimited) && MayRetry())
        {
            return false;
        }

        _headAccepted = true;
        _body?.StopKeeping();
        if (_retriesExhausted)
        {
            context.AddFlag("URX");
        }

        return true;
    }

    private void Begin(ForwardAction action, TimeProvider time)
    {
        (_policy, _retriesExhausted, _headAccepted, ExpectedTimeout) = (action.Retry, false, false, null);
        var request = context.Http.Request;
        var total = action.Timeout;
        if (LocalReply.IsGrpc(request) && request.Headers["grpc-timeout"] is [var text] && GrpcTimeout.Parse(text) is { } asked)
        {
            total = asked < total || total is null ? asked : total;
        }

        // An upgraded connection is a stream whose end never comes: no clock starts.
        var isUpgrade = context.Http.Features.Get<IHttpUpgradeFeature>()?.IsUpgradableRequest == true
            || context.Http.Features.Get<IHttpExtendedConnectFeature>()?.IsExtendedConnect == true;
        if (isUpgrade)
        {
            return;
        }

        if (total is not null || _policy.PerTryTimeout is not null)
        {
            _timer = new TryTimer(time, total, _policy.PerTryTimeout);
        }

        if (context.Http.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody != true)
        {
            _timer?.EndRequest();
        }
        else if (_timer is not null || _policy.Attempts > 0)
        {
            request.Body = _body = new ReplayBody(request.Body, EndRequest);
        }
    }

    private void EndRequest() => _timer?.EndRequest();

    private async Task TryAllAsync(Forwarder forwarder, TimeProvider time)
    {
        var upstream = await context.Snapshot.Upstreams.ResolveAsync(context.Cluster!, context.Http.RequestAborted);
        UpstreamEndpoint? previous = null;
        for (context.Attempt = 1; ; context.Attempt++)
        {
            if (upstream.Pick(_policy.AvoidsPreviousEndpoints ? previous : null) is not { } endpoint)
            {
                context.Endpoint = null;
                await LocalReply.SendAsync(context, StatusCodes.Status503ServiceUnavailable, LocalReply.NoHealthyUpstream, "no_healthy_upstream", "UH");
                return;
            }

            context.Endpoint = previous = endpoint;
            var result = await TryAsync(forwarder, endpoint);
            if (result.Outcome == ForwardOutcome.Completed)
            {
                return;
            }

            if (!IsRetried(result.Outcome))
            {
                await AnswerAsync(result);
                return;
            }

            _body?.Rewind();
            if (!await BackOffAsync(time))
            {
                await UpstreamFailure.TimeoutAsync(context, isOfTry: false);
                return;
            }
        }
    }

    private async ValueTask<ForwardResult> TryAsync(Forwarder forwarder, UpstreamEndpoint endpoint)
    {
        context.UpstreamServiceTime = -1;
        var token = _timer?.BeginTry() ?? CancellationToken.None;
        ExpectedTimeout = _timer?.OfTry;
        endpoint.Begin();
        try
        {
            return await forwarder.ForwardAsync(context, token);
        }
        finally
        {
            endpoint.End();
        }
    }

    /// <summary>Counts a retry against the policy, when the failure is one to retry.</summary>
    private bool IsRetried(ForwardOutcome outcome) =>
        outcome == ForwardOutcome.HeadRejected
        || (!_headAccepted && _timer?.IsOver != true && RetryDecision.WantsRetry(_policy, outcome) && MayRetry());

    private bool MayRetry()
    {
        if (_policy.Attempts == 0 || _body?.CanReplay == false)
        {
            return false;
        }

        _retriesExhausted = context.Attempt > _policy.Attempts;
        return !_retriesExhausted;
    }

    private Task AnswerAsync(ForwardResult result)
    {
        var hasFired = _timer?.HasFired == true;
        if (hasFired && result.Outcome is ForwardOutcome.Canceled or ForwardOutcome.BrokenResponse)
        {
            var isOfTry = !_timer!.IsOver;
            return result.Outcome == ForwardOutcome.BrokenResponse
                ? UpstreamFailure.Cut(context, "UT", isOfTry ? "upstream_per_try_timeout" : "response_timeout")
                : UpstreamFailure.TimeoutAsync(context, isOfTry, _retriesExhausted);
        }

        return UpstreamFailure.AnswerAsync(context, result, wasRetried: context.Attempt > 1, _retriesExhausted);
    }

    /// <summary>Full jitter: retry n waits a random time below (2ⁿ−1) times the base.</summary>
    /// <returns><see langword="false"/> when the route's timeout passed meanwhile.</returns>
    private async ValueTask<bool> BackOffAsync(TimeProvider time)
    {
        var ceiling = _policy.BackoffBase * ((1 << Math.Min(context.Attempt, 10)) - 1);
        ceiling = ceiling < _policy.BackoffMax ? ceiling : _policy.BackoffMax;
        var wait = ceiling * Random.Shared.NextDouble();
        var remaining = _timer?.Remaining;
        var isLate = remaining <= wait;
        await Task.Delay(isLate ? remaining!.Value : wait, time, context.Http.RequestAborted);
        return !isLate;
    }
}
