using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Portcullis.Gateway.Listeners;

/// <summary>
/// A connection as one of the server's inner endpoints sees it: the accepted connection with features of its own, so that the two do not
/// overwrite each other's.
/// </summary>
internal sealed class HandedConnection(ConnectionContext outer) : ConnectionContext
{
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <inheritdoc/>
    public override IDuplexPipe Transport { get; set; } = outer.Transport;

    /// <inheritdoc/>
    public override string ConnectionId { get; set; } = outer.ConnectionId;

    /// <inheritdoc/>
    public override IFeatureCollection Features { get; } = new FeatureCollection(outer.Features);

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items { get; set; } = outer.Items;

    /// <inheritdoc/>
    public override System.Net.EndPoint? LocalEndPoint { get; set; } = outer.LocalEndPoint;

    /// <inheritdoc/>
    public override System.Net.EndPoint? RemoteEndPoint { get; set; } = outer.RemoteEndPoint;

    /// <inheritdoc/>
    public override CancellationToken ConnectionClosed { get; set; } = outer.ConnectionClosed;

    /// <summary>The inner endpoint is done with it.</summary>
    public Task Completed => _completed.Task;

    /// <summary>Asks for an end after what is in flight (GOAWAY, or no keep-alive).</summary>
    public void RequestClose() => Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason) => outer.Abort(abortReason);

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        _completed.TrySetResult();
        return base.DisposeAsync(); // the transport belongs to the accepted connection
    }
}
