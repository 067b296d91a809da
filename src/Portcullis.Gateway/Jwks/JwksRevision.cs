using Portcullis.Policy.Authentication;

namespace Portcullis.Gateway.Jwks;

/// <summary>
/// The sources that one configuration names. Compile the configuration with it, then <see cref="Commit"/> when the configuration is in force, or dispose it
/// without when it was refused: sources that no configuration names any more stop fetching. Not for concurrent use.
/// </summary>
public sealed class JwksRevision : IJwksResolver, IDisposable
{
    private readonly RemoteJwksResolver _owner;
    private readonly HashSet<JwksLocation> _locations = [];
    private bool _closed;

    internal JwksRevision(RemoteJwksResolver owner) => _owner = owner;

    internal IReadOnlyCollection<JwksLocation> Locations => _locations;

    /// <inheritdoc/>
    public JwksSource Resolve(JwksLocation location)
    {
        ArgumentNullException.ThrowIfNull(location);
        ObjectDisposedException.ThrowIf(_closed, this);
        var source = _owner.Open(location, _locations);
        return source;
    }

    /// <summary>Waits until every source of this configuration has tried to fetch once, so that a new issuer's first tokens are not refused without need.</summary>
    /// <param name="atMost">Longest wait: a dead key server must not stop a start or a reload.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether all have tried.</returns>
    public Task<bool> WaitForFirstAttemptAsync(TimeSpan atMost, CancellationToken cancellationToken = default) =>
        _owner.WaitForFirstAttemptAsync(_locations, atMost, cancellationToken);

    /// <summary>This configuration is in force now, in place of the one before.</summary>
    public void Commit()
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        _closed = true;
        _owner.Close(this, committed: true);
    }

    /// <summary>Without <see cref="Commit"/> before: the configuration was refused, the one before stays.</summary>
    public void Dispose()
    {
        if (!_closed)
        {
            _closed = true;
            _owner.Close(this, committed: false);
        }
    }
}
