using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Portcullis.Gateway.Listeners;

/// <summary>
/// An endpoint of the server that no socket is bound to: it gets connections that were accepted elsewhere, once it is known what they speak.
/// </summary>
internal sealed class InnerEndPoint(string name) : EndPoint, IConnectionListener
{
    // Unbounded, but what is in it was accepted and is taken out at once by the server's accept loop.
    private readonly Channel<ConnectionContext> _handed = Channel.CreateUnbounded<ConnectionContext>(new() { SingleReader = true });

    EndPoint IConnectionListener.EndPoint => this;

    /// <summary>Lets the endpoint serve the connection, and returns when it is done.</summary>
    public async Task ServeAsync(ConnectionContext connection)
    {
        var handed = new HandedConnection(connection);
        if (!_handed.Writer.TryWrite(handed))
        {
            return; // the server stops: the connection is closed
        }

        // A drain asks the accepted connection; the inner one must hear of it.
        var asked = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;
        await using (asked.UnsafeRegister(static state => ((HandedConnection)state!).RequestClose(), handed))
        {
            await handed.Completed;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _handed.Reader.WaitToReadAsync(cancellationToken))
        {
            if (_handed.Reader.TryRead(out var connection))
            {
                return connection;
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _handed.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => UnbindAsync();

    /// <inheritdoc/>
    public override string ToString() => name;
}
