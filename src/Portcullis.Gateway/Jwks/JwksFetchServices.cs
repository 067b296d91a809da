using Microsoft.Extensions.Logging;

namespace Portcullis.Gateway.Jwks;

/// <summary>What all sources of one resolver share.</summary>
internal sealed record JwksFetchServices
{
    public required JwksFetchOptions Options { get; init; }

    public required TimeProvider TimeProvider { get; init; }

    public required ILogger Logger { get; init; }

    public required JwksMetrics Metrics { get; init; }

    public required FetchGate Gate { get; init; }

    public required JwksTargetRule Rule { get; init; }

    public required JwksConnector Connector { get; init; }

    public required JwksStateStore? Store { get; init; }

    /// <summary>Told after every fetch, when its result is in force and the next one is set.</summary>
    public required Action<JwksSourceStatus> Attempted { get; init; }
}
