using Portcullis.Routing;

namespace Portcullis.Gateway.Forwarding;

/// <summary>
/// Counts what a cluster has in flight against its limits (routing.md §4.4; Envoy's circuit breakers). Requests beyond <c>maxConnections</c> wait
/// in line for an HTTP/1.1 connection, as many as <c>http1MaxPendingRequests</c> lets.
/// </summary>
internal sealed class CircuitBreaker
{
    private readonly Lock _gate = new();
    private readonly LinkedList<TaskCompletionSource> _waiting = [];
    private int _requests;
    private int _busyConnections;
    private int _retries;
    private int _openConnections;

    /// <summary>Connections that are open now.</summary>
    public int OpenConnections => Volatile.Read(ref _openConnections);

    public void ConnectionOpened() => Interlocked.Increment(ref _openConnections);

    public void ConnectionClosed() => Interlocked.Decrement(ref _openConnections);

    /// <summary>Admits a try; a try that was admitted must call <see cref="Leave"/>.</summary>
    /// <param name="limits">The cluster's.</param>
    /// <param name="isHttp1">A request has a connection for itself.</param>
    /// <param name="cancellationToken">Ends the wait for a connection.</param>
    /// <returns><see langword="false"/> for an overflow.</returns>
    public ValueTask<bool> EnterAsync(ConnectionPoolLimits limits, bool isHttp1, CancellationToken cancellationToken)
    {
        TaskCompletionSource waiter;
        lock (_gate)
        {
            if (_requests >= limits.MaxRequests)
            {
                return new(false);
            }

            var hasConnection = !isHttp1 || _busyConnections < limits.MaxConnections;
            // Without a limit of connections those requests wait whose connection is not open yet.
            var waits = hasConnection ? _requests - OpenConnections : _waiting.Count;
            if ((isHttp1 || OpenConnections == 0) && waits >= limits.MaxPendingRequests)
            {
                return new(false);
            }

            _requests++;
            if (hasConnection)
            {
                _busyConnections += isHttp1 ? 1 : 0;
                return new(true);
            }

            waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.AddLast(waiter);
        }

        return WaitAsync(waiter, cancellationToken);
    }

    /// <summary>Ends what <see cref="EnterAsync"/> began.</summary>
    public void Leave(bool isHttp1)
    {
        TaskCompletionSource? next = null;
        lock (_gate)
        {
            _requests--;
            if (isHttp1)
            {
                next = _waiting.First?.Value;
                if (next is null)
                {
                    _busyConnections--;
                }
                else
                {
                    _waiting.RemoveFirst();
                }
            }
        }

        next?.SetResult();
    }

    /// <summary>Admits a retry; one that was admitted must call <see cref="EndRetry"/>.</summary>
    public bool TryBeginRetry(ConnectionPoolLimits limits)
    {
        var most = limits.RetryBudget is { } budget ? Math.Max(budget.MinRetryConcurrency, (long)(budget.Percent / 100 * Volatile.Read(ref _requests))) : limits.MaxRetries;
        if (Interlocked.Increment(ref _retries) <= most)
        {
            return true;
        }

        EndRetry();
        return false;
    }

    public void EndRetry() => Interlocked.Decrement(ref _retries);

    private async ValueTask<bool> WaitAsync(TaskCompletionSource waiter, CancellationToken cancellationToken)
    {
        try
        {
            await waiter.Task.WaitAsync(cancellationToken);
            return true;
        }
        catch (OperationCanceledException)
        {
            bool wasWaiting;
            lock (_gate)
            {
                wasWaiting = _waiting.Remove(waiter);
                _requests -= wasWaiting ? 1 : 0;
            }

            if (!wasWaiting)
            {
                // The connection was handed over at the same moment: on to the next in line.
                Leave(isHttp1: true);
            }

            throw;
        }
    }
}
