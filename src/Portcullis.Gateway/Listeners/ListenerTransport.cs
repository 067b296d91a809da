using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Portcullis.Gateway.Listeners;

/// <summary>Binds sockets by the given transport, and <see cref="InnerEndPoint"/>s to nothing.</summary>
internal sealed class ListenerTransport(IConnectionListenerFactory sockets) : IConnectionListenerFactory
{
    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        endpoint is InnerEndPoint inner ? new(inner) : sockets.BindAsync(endpoint, cancellationToken);
}
