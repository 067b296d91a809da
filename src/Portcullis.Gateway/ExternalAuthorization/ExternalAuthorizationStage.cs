using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Portcullis.Gateway.Pipeline;
using Portcullis.Gateway.Telemetry.Metrics;
using Portcullis.Policy.Authorization;

namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>
/// Asks the external authorizers of the CUSTOM policies that match, one after the other. Only a request that matches comes here; a positive answer hands it
/// on to the stages behind, which may still refuse it.
/// </summary>
internal sealed partial class ExternalAuthorizationStage(GatewayMetrics metrics, ILogger logger, TimeProvider time)
{
    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(10);

    /// <summary>When each failure of a provider was last logged. Names are those of the configuration; there are some hundred reasons.</summary>
    private readonly ConcurrentDictionary<(string Provider, string Reason), long> _logged = new();

    /// <summary>Asks.</summary>
    /// <param name="context">The request.</param>
    /// <param name="match">The CUSTOM rule that matches it.</param>
    /// <returns>Whether the request goes on; otherwise it has its answer.</returns>
    public async Task<bool> PassesAsync(GatewayContext context, CustomMatch match)
    {
        var wasAsked = false;
        foreach (var step in context.Snapshot.ExternalAuthorization.Steps)
        {
            if (step.Match(context, match) is not { } found)
            {
                continue;
            }

            wasAsked = true;
            if (step.Authorizer is not { } authorizer)
            {
                await DenyUnaskedAsync(context, found);
                return false;
            }

            if (!await PassesAsync(context, authorizer, found))
            {
                return false;
            }
        }

        if (!wasAsked)
        {
            // A CUSTOM rule matches and no provider is to be asked: not a way through.
            await DenyUnaskedAsync(context, match);
        }

        return wasAsked;
    }

    /// <summary>An authorizer that cannot be asked denies what it would have been asked about (authorization.md §10).</summary>
    private static Task DenyUnaskedAsync(GatewayContext context, CustomMatch match) =>
        RequestPipeline.DenyAsync(context, new Decision(DecisionOutcome.Forbidden, match.PolicyId));

    private async Task<bool> PassesAsync(GatewayContext context, ExternalAuthorizer authorizer, CustomMatch match)
    {
        CheckBody? body = null;
        if (authorizer.Body is { } settings && CheckBody.IsExpected(context.Http) && (body = await CheckBody.ReadAsync(context, settings)) is null)
        {
            context.Decision = new Decision(DecisionOutcome.Forbidden, match.PolicyId);
            await CheckAnswer.RefuseBodyAsync(context);
            return false;
        }

        var started = Stopwatch.GetTimestamp();
        var result = await AskAsync(context, authorizer, body);
        if (result.Outcome != CheckOutcome.Invalid && !result.HasValidHeaders())
        {
            result = new CheckResult { Outcome = CheckOutcome.Invalid, Reason = "it wants a header that cannot be written" };
        }

        var passes = result.Outcome == CheckOutcome.Ok || (result.Outcome == CheckOutcome.Error && authorizer.FailOpen);
        metrics.Checked(authorizer.Name, OutcomeName(result.Outcome, passes), Stopwatch.GetElapsedTime(started));
        if (!passes)
        {
            context.Decision = new Decision(DecisionOutcome.Forbidden, match.PolicyId);
        }

        switch (result.Outcome)
        {
            case CheckOutcome.Ok:
                CheckAnswer.Apply(context, result);
                break;
            case CheckOutcome.Denied:
                await CheckAnswer.DenyAsync(context, result);
                break;
            case CheckOutcome.Invalid:
                LogFailure(authorizer, result.Reason, "answered 500");
                await CheckAnswer.RefuseInvalidAsync(context);
                break;
            case CheckOutcome.Error when passes:
                LogFailure(authorizer, result.Reason, "let through (failOpen)");
                break;
            default:
                LogFailure(authorizer, result.Reason, "refused");
                await CheckAnswer.FailAsync(context, result, authorizer.StatusOnError);
                break;
        }

        return passes;
    }

    private async Task<CheckResult> AskAsync(GatewayContext context, ExternalAuthorizer authorizer, CheckBody? body)
    {
        using var limit = new CancellationTokenSource(authorizer.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.Http.RequestAborted);
        try
        {
            var upstream = await context.Snapshot.Upstreams.ResolveAsync(authorizer.Cluster, either.Token);
            if (upstream.Pick() is not { } endpoint)
            {
                return CheckResult.Failed("it has no endpoint");
            }

            endpoint.Begin();
            try
            {
                return await authorizer.AskAsync(context, body, endpoint, either.Token);
            }
            finally
            {
                endpoint.End();
            }
        }
        catch (OperationCanceledException) when (!context.Http.RequestAborted.IsCancellationRequested)
        {
            return CheckResult.Failed(limit.IsCancellationRequested ? $"no answer within {authorizer.Timeout}" : "no connection within the connect timeout");
        }
    }

    private static string OutcomeName(CheckOutcome outcome, bool passes) => outcome switch
    {
        CheckOutcome.Ok => "ok",
        CheckOutcome.Denied => "denied",
        CheckOutcome.Invalid => "invalid",
        _ => passes ? "failure_mode_allowed" : "error",
    };

    /// <summary>A dead authorizer under load is said once in a while, not once a request.</summary>
    private void LogFailure(ExternalAuthorizer authorizer, string? reason, string consequence)
    {
        var now = time.GetTimestamp();
        var failure = (authorizer.Name, reason ?? "unknown");
        if (_logged.TryGetValue(failure, out var last) && time.GetElapsedTime(last, now) < LogInterval)
        {
            return;
        }

        _logged[failure] = now;
        LogFailed(logger, authorizer.Name, authorizer.Cluster.Host, failure.Item2, consequence);
    }

    [LoggerMessage(EventId = 6001, Level = LogLevel.Warning, Message = "external authorizer {Provider} ({Host}) failed: {Reason}; requests are {Consequence}")]
    private static partial void LogFailed(ILogger logger, string provider, string host, string reason, string consequence);
}
