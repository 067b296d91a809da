using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Portcullis.Gateway.Limits;

/// <summary>What one listener carries, and whether it is on its way out.</summary>
internal sealed class ListenerLoad(OverloadGuard guard, GatewayLimits limits)
{
    private volatile bool _draining;
    private int _connections;

    /// <summary>Connections that are open.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>From now on every request is the last one of its connection.</summary>
    public void BeginDrain() => _draining = true;

    /// <summary>Serves a connection to its end, or closes it at once when there is no room.</summary>
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (!guard.TryOpenConnection(this))
        {
            connection.Abort(new ConnectionAbortedException("over the cap of connections"));
            return;
        }

        try
        {
            if (limits.RequestsPerConnection > 0)
            {
                connection.Features.Set(new RequestTally());
            }

            await next(connection);
        }
        finally
        {
            guard.CloseConnection(this);
        }
    }

    /// <summary>
    /// Makes this request the last of its connection when it must be: the answer says <c>Connection: close</c>, or HTTP/2 gets GOAWAY.
    /// </summary>
    public void CountRequest(IFeatureCollection features)
    {
        if (_draining || (limits.RequestsPerConnection > 0 && features.Get<RequestTally>()?.Next() >= limits.RequestsPerConnection))
        {
            features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        }
    }

    /// <returns>Connections with this one.</returns>
    internal int Open() => Interlocked.Increment(ref _connections);

    internal void Close() => Interlocked.Decrement(ref _connections);

    /// <summary>Requests of one connection.</summary>
    private sealed class RequestTally
    {
        private int _count;

        public int Next() => Interlocked.Increment(ref _count);
    }
}
