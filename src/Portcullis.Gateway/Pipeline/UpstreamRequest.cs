using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
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
    private const int MaxRemembered = 16;

    private RetryPolicy _policy = RetryPolicy.Off;
    private TryTimer? _timer;
    private ReplayBody? _body;
    private RequestMirror? _mirror;
    private bool _retriesExhausted;
    private bool _headAccepted;
    private bool _retryOverflowed;
    private bool _holdsRetry;
    private ulong? _hash;
    private string? _newCookie;
    private readonly List<UpstreamEndpoint> _tried = [];
    private UpstreamServices? _services;

    /// <summary>What the current try may take, as the backend is told; <see langword="null"/> is no limit.</summary>
    public TimeSpan? ExpectedTimeout { get; private set; }

    /// <summary>The cluster with its endpoints at run time; set while the request is on its way.</summary>
    public UpstreamCluster? Cluster { get; private set; }

    /// <summary>A consistent hash's cookie for a client that has none; <see langword="null"/> for none.</summary>
    public string? SetCookie { get; private set; }

    /// <summary>Forgets the request before.</summary>
    public void Reset() => (Cluster, SetCookie, ExpectedTimeout) = (null, null, null);

    /// <summary>Forwards until there is an answer, the backend's or our own.</summary>
    public async Task RunAsync(ForwardAction action, UpstreamServices services)
    {
        _services = services;
        Begin(action, services.Time);
        if (!action.Mirrors.IsEmpty)
        {
            await MirrorAsync(action, services.Mirrors);
        }

        try
        {
            await TryAllAsync(services.Forwarder, services.Time);
        }
        finally
        {
            EndRetry();
            _mirror = null;
            _tried.Clear();
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
        Cluster!.Report(context.Endpoint!, OutlierDetector.SignalOf(Cluster.Policy.OutlierDetection, status));
        if (RetryDecision.WantsRetry(_policy, status, grpcStatus, isRateLimited) && MayRetry())
        {
            return false;
        }

        _headAccepted = true;
        SetCookie = _newCookie;
        if (_mirror is null)
        {
            _body?.StopKeeping();
        }

        EndRetry();
        if (_retriesExhausted || _retryOverflowed)
        {
            context.AddFlag(_retriesExhausted ? "URX" : "UO");
        }

        return true;
    }

    private void Begin(ForwardAction action, TimeProvider time)
    {
        (_policy, _retriesExhausted, _retryOverflowed, _headAccepted, ExpectedTimeout) = (action.Retry, false, false, false, null);
        (_hash, _newCookie, SetCookie) = (null, null, null);
        var request = context.Http.Request;
        var total = action.Timeout;
        if (LocalReply.IsGrpc(request) && request.Headers["grpc-timeout"] is [var text] && GrpcTimeout.Parse(text) is { } asked)
        {
            total = asked < total || total is null ? asked : total;
        }

        // An upgraded connection is a stream whose end never comes: no clock starts.
        if (context.IsUpgrade)
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
        else if (_timer is not null || _policy.Attempts > 0 || !action.Mirrors.IsEmpty)
        {
            request.Body = _body = new ReplayBody(request.Body, EndRequest);
        }
    }

    private void EndRequest()
    {
        _timer?.EndRequest();
        if (_mirror is { } mirror && _body is { CanReplay: true } body)
        {
            mirror.Send(body.Kept);
        }
    }

    private async ValueTask MirrorAsync(ForwardAction action, MirrorSender sender)
    {
        if (context.IsUpgrade)
        {
            return;
        }

        context.Attempt = 1;
        _mirror = await RequestMirror.DrawAsync(context, action, sender);
        if (_body is null)
        {
            _mirror?.Send([]);
            _mirror = null;
        }
    }

    private async Task TryAllAsync(Forwarder forwarder, TimeProvider time)
    {
        Cluster = await context.Snapshot.Upstreams.ResolveAsync(context.Cluster!, context.Http.RequestAborted);
        if (Cluster.Policy.LoadBalancer.Key is { } key)
        {
            _hash = RequestHash.Of(context, key, out _newCookie);
        }

        for (context.Attempt = 1; ; context.Attempt++)
        {
            if (Pick(CollectionsMarshal.AsSpan(_tried)) is not { } endpoint)
            {
                context.Endpoint = null;
                await LocalReply.SendAsync(context, StatusCodes.Status503ServiceUnavailable, LocalReply.NoHealthyUpstream, "no_healthy_upstream", "UH");
                return;
            }

            context.Endpoint = endpoint;
            Remember(endpoint);
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

    /// <summary>Envoy's <c>previous_priorities</c>, updated after every second try as Istio sets it.</summary>
    private UpstreamEndpoint? Pick(ReadOnlySpan<UpstreamEndpoint> tried) => Cluster!.Pick(
        _policy.AvoidsPreviousEndpoints ? tried : [],
        _hash,
        _policy.LeavesTriedLocalities ? tried[..(tried.Length & ~1)] : []);

    /// <summary>Envoy's previous hosts: bounded, as a policy may ask for any number of tries.</summary>
    private void Remember(UpstreamEndpoint endpoint)
    {
        if ((_policy.AvoidsPreviousEndpoints || _policy.LeavesTriedLocalities) && _policy.Attempts > 0 && _tried.Count < MaxRemembered)
        {
            _tried.Add(endpoint);
        }
    }

    private async ValueTask<ForwardResult> TryAsync(Forwarder forwarder, UpstreamEndpoint endpoint)
    {
        context.UpstreamServiceTime = -1;
        var token = _timer?.BeginTry() ?? CancellationToken.None;
        ExpectedTimeout = context.Attempt == 1 ? _timer?.OfFirstTry : _timer?.OfTry;
        var breaker = Cluster!.State.Breaker;
        var isHttp1 = !context.UsesHttp2Upstream;
        if (!await EnterAsync(breaker, isHttp1, token))
        {
            return new(token.IsCancellationRequested ? ForwardOutcome.Canceled : ForwardOutcome.Overflow);
        }

        endpoint.Begin();
        try
        {
            var result = await forwarder.ForwardAsync(context, token);
            Report(endpoint, result.Outcome, token);
            return result;
        }
        finally
        {
            endpoint.End();
            breaker.Leave(isHttp1);
        }
    }

    private async ValueTask<bool> EnterAsync(CircuitBreaker breaker, bool isHttp1, CancellationToken token)
    {
        var limits = Cluster!.Policy.ConnectionPool;
        var entry = breaker.EnterAsync(limits, isHttp1, token.CanBeCanceled ? token : context.Http.RequestAborted);
        if (entry.IsCompletedSuccessfully)
        {
            return entry.Result;
        }

        try
        {
            return await entry;
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>What has no response head says something of the endpoint too.</summary>
    private void Report(UpstreamEndpoint endpoint, ForwardOutcome outcome, CancellationToken token)
    {
        if (!_headAccepted && (outcome is ForwardOutcome.ConnectFailed or ForwardOutcome.ConnectTimeout or ForwardOutcome.ClosedBeforeResponse or ForwardOutcome.Reset
            or ForwardOutcome.RefusedStream or ForwardOutcome.ConnectReset or ForwardOutcome.ProtocolError || (outcome == ForwardOutcome.Canceled && token.IsCancellationRequested)))
        {
            Cluster!.Report(endpoint, OutlierSignal.LocalOriginFailure);
        }
    }

    private void EndRetry()
    {
        if (_holdsRetry)
        {
            _holdsRetry = false;
            Cluster!.State.Breaker.EndRetry();
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

        EndRetry();
        _retriesExhausted = context.Attempt > _policy.Attempts;
        if (_retriesExhausted)
        {
            return false;
        }

        _holdsRetry = Cluster!.State.Breaker.TryBeginRetry(Cluster.Policy.ConnectionPool);
        _retryOverflowed = !_holdsRetry;
        if (_holdsRetry)
        {
            _services!.Metrics?.Retried(context.Cluster!.Name);
        }
        else
        {
            _services!.Metrics?.Overflowed(context.Cluster!.Name);
        }

        return _holdsRetry;
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

        if (result.Outcome == ForwardOutcome.Overflow)
        {
            _services!.Metrics?.Overflowed(context.Cluster!.Name);
            return UpstreamFailure.OverflowAsync(context);
        }

        return UpstreamFailure.AnswerAsync(context, result, wasRetried: context.Attempt > 1, _retriesExhausted ? "URX" : _retryOverflowed ? "UO" : null);
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
