namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>What outlives a snapshot of the external authorizers: their connections.</summary>
internal sealed class ExternalAuthorizers(bool allowsSeveral) : IDisposable
{
    private readonly AuthorizerConnections _connections = new();

    /// <summary>Whether different providers may serve this gateway.</summary>
    public bool AllowsSeveral => allowsSeveral;

    /// <summary>The provider in its runtime form; <see langword="null"/> when it cannot be asked.</summary>
    public ExternalAuthorizer? Create(CustomProvider provider) =>
        provider.Unusable is not null ? null : provider.Settings!.IsGrpc ? new GrpcAuthorizer(provider, _connections) : new HttpAuthorizer(provider, _connections);

    public void Dispose() => _connections.Dispose();
}
