using System.Net;
using System.Net.Sockets;

namespace Portcullis.Gateway.Forwarding.Http1;

/// <summary>Idle connections to one address. The one that was used last is used next, so that those that are not needed grow old.</summary>
/// <param name="address">Where new connections go.</param>
/// <param name="profile">How they are made and how long they live.</param>
/// <param name="time">Their clock.</param>
internal sealed class Http1Pool(IPEndPoint address, ConnectionProfile profile, TimeProvider time)
{
    /// <summary>Most idle connections that are kept.</summary>
    public const int MaxIdle = 1024;

    private readonly Lock _gate = new();
    private readonly List<Http1Connection> _idle = [];
    private bool _isClosed;

    /// <summary>Where new connections go.</summary>
    public IPEndPoint Address { get; } = address;

    /// <summary>How they are made.</summary>
    public ConnectionProfile Profile => profile;

    /// <summary>Idle connections.</summary>
    public int Idle
    {
        get
        {
            lock (_gate)
            {
                return _idle.Count;
            }
        }
    }

    /// <summary>Takes an idle connection, ready for a request. Those that turn out to be closed are dropped.</summary>
    public Http1Connection? Take()
    {
        while (true)
        {
            Http1Connection connection;
            lock (_gate)
            {
                if (_idle.Count == 0)
                {
                    return null;
                }

                connection = _idle[^1];
                _idle.RemoveAt(_idle.Count - 1);
            }

            if (connection.TryBegin())
            {
                return connection;
            }
        }
    }

    /// <summary>Puts a connection back, or closes it when there are enough.</summary>
    public void Return(Http1Connection connection)
    {
        connection.EndUse();
        connection.IdleSince = time.GetTimestamp();
        lock (_gate)
        {
            if (!_isClosed && _idle.Count < MaxIdle && !IsLast(connection) && !IsOld(connection))
            {
                _idle.Add(connection);
                return;
            }
        }

        connection.Close();
    }

    /// <summary>The request that a connection carries is the last that it may carry.</summary>
    public bool IsLast(Http1Connection connection) => connection.Requests >= profile.Limits.MaxRequestsPerConnection;

    /// <summary>Makes a connection of a socket.</summary>
    public Http1Connection Open(Socket socket) => new(socket, profile.Breaker, time.GetTimestamp());

    /// <summary>Closes connections that the backend has closed, and those that are idle or open for too long.</summary>
    public void Sweep()
    {
        List<Http1Connection>? closed = null;
        lock (_gate)
        {
            for (var i = _idle.Count - 1; i >= 0; i--)
            {
                if (time.GetElapsedTime(_idle[i].IdleSince) > profile.Limits.IdleTimeout || IsOld(_idle[i]) || _idle[i].IsStale())
                {
                    (closed ??= []).Add(_idle[i]);
                    _idle.RemoveAt(i);
                }
            }
        }

        Close(closed);
    }

    /// <summary>Closes every idle connection, and those in use when they come back.</summary>
    public void Close()
    {
        List<Http1Connection> closed;
        lock (_gate)
        {
            _isClosed = true;
            closed = [.. _idle];
            _idle.Clear();
        }

        Close(closed);
    }

    private bool IsOld(Http1Connection connection) =>
        profile.Limits.MaxConnectionDuration is { } longest && time.GetElapsedTime(connection.OpenedAt) > longest;

    private static void Close(List<Http1Connection>? connections)
    {
        if (connections is not null)
        {
            foreach (var connection in connections)
            {
                connection.Close();
            }
        }
    }
}
