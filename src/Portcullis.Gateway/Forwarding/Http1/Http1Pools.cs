using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;

namespace Portcullis.Gateway.Forwarding.Http1;

/// <summary>
/// The pools of all endpoints, swept by one timer. Connections live as long as somebody has the profile that they were made by: what a reload replaces goes when its last request is over.
/// </summary>
internal sealed class Http1Pools : IDisposable
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(10);

    private readonly ConditionalWeakTable<ConnectionProfile, ConcurrentDictionary<UpstreamEndpoint, Http1Pool>> _pools = [];
    private readonly TimeProvider _time;
    private readonly ITimer _timer;

    public Http1Pools(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(static state => ((Http1Pools)state!).Sweep(), this, SweepInterval, SweepInterval);
    }

    /// <summary>The pool of an endpoint.</summary>
    public Http1Pool Of(ConnectionProfile profile, UpstreamEndpoint endpoint) =>
        _pools.TryGetValue(profile, out var pools) && pools.TryGetValue(endpoint, out var pool) ? pool : Add(profile, endpoint);

    public void Dispose()
    {
        _timer.Dispose();
        foreach (var (_, pools) in _pools)
        {
            foreach (var pool in pools.Values)
            {
                pool.Close();
            }
        }
    }

    private Http1Pool Add(ConnectionProfile profile, UpstreamEndpoint endpoint) =>
        _pools.GetValue(profile, static _ => new(ReferenceEqualityComparer.Instance)).GetOrAdd(endpoint, e => new Http1Pool(IPEndPoint.Parse(e.Address), profile, _time));

    private void Sweep()
    {
        foreach (var (_, pools) in _pools)
        {
            foreach (var (endpoint, pool) in pools)
            {
                pool.Sweep();
                // An endpoint that is gone is asked for nothing any more; one that is not gets a pool again when it needs one.
                if (pool.Idle == 0 && endpoint.Active == 0 && pools.TryRemove(new(endpoint, pool)))
                {
                    pool.Close();
                }
            }
        }
    }
}
