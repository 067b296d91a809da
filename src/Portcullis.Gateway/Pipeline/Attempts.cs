using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Forwarding;
using Portcullis.Routing;

namespace Portcullis.Gateway.Pipeline;

/// <summary>
/// The tries of one request: picks an endpoint, forwards, and tries another one where nothing of the request has reached a backend
/// (Istio's default retry, routing.md §2.10), until the route's timeout.
/// </summary>
internal readonly struct Attempts(GatewayContext context, ForwardAction action, Forwarder forwarder, TimeProvider time)
{
    public async Task RunAsync()
    {
        var upstream = await context.Snapshot.Upstreams.ResolveAsync(context.Cluster!, context.Http.RequestAborted);
        using var timeout = action.Timeout is { } limit && limit > TimeSpan.Zero ? new CancellationTokenSource(limit, time) : null;
        var token = timeout?.Token ?? CancellationToken.None;
        UpstreamEndpoint? previous = null;
        for (context.Attempt = 1; ; context.Attempt++)
        {
            if (upstream.Pick(previous) is not { } endpoint)
            {
                context.Endpoint = null;
                await LocalReply.SendAsync(context, StatusCodes.Status503ServiceUnavailable, LocalReply.NoHealthyUpstream, "no_healthy_upstream", "UH");
                return;
            }

            context.Endpoint = previous = endpoint;
            var outcome = await TryAsync(endpoint, token);
            if (outcome == ForwardOutcome.Completed)
            {
                return;
            }

            if (!IsRetried(outcome))
            {
                await UpstreamFailure.AnswerAsync(context, outcome, context.Attempt > 1);
                return;
            }

            await BackOffAsync();
        }
    }

    private async ValueTask<ForwardOutcome> TryAsync(UpstreamEndpoint endpoint, CancellationToken timeout)
    {
        endpoint.Begin();
        try
        {
            return await forwarder.ForwardAsync(context, timeout);
        }
        finally
        {
            endpoint.End();
        }
    }

    private bool IsRetried(ForwardOutcome outcome) =>
        outcome is ForwardOutcome.ConnectFailed or ForwardOutcome.ConnectTimeout
        && context.Attempt <= action.Retry.Attempts
        && (action.Retry.RetryOn & (RetryConditions.ConnectFailure | RetryConditions.Reset | RetryConditions.ResetBeforeRequest | RetryConditions.ServerError | RetryConditions.GatewayError)) != 0;

    /// <summary>Full jitter: retry n waits a random time below (2ⁿ−1) times the base.</summary>
    private Task BackOffAsync()
    {
        var ceiling = action.Retry.BackoffBase * ((1 << Math.Min(context.Attempt, 10)) - 1);
        ceiling = ceiling < action.Retry.BackoffMax ? ceiling : action.Retry.BackoffMax;
        return Task.Delay(ceiling * Random.Shared.NextDouble(), time, context.Http.RequestAborted);
    }
}
