using Portcullis.Gateway.Jwks;
using Portcullis.Policy.Authentication;

namespace Portcullis.Commands;

/// <summary>Fetches key sets once, as the gateway would: the same code, rules and settings of the environment. Nothing is kept on disk.</summary>
internal sealed class KeySetFetch : IJwksResolver, IAsyncDisposable
{
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(2);

    private readonly HashSet<JwksLocation> _locations = [];
    private readonly RemoteJwksResolver _resolver;

    /// <param name="problem">What is wrong with the environment's settings.</param>
    public KeySetFetch(out string? problem) => _resolver = new(JwksFetchOptions.FromEnvironment(Environment.GetEnvironmentVariable, out problem));

    public JwksSource Resolve(JwksLocation location)
    {
        _locations.Add(location);
        return _resolver.Resolve(location);
    }

    /// <summary>Waits until every location has answered or failed; each has its rule's timeout, once for discovery and once for the keys.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => _locations.Count == 0
        ? Task.CompletedTask
        : _resolver.WaitForFirstAttemptAsync((_locations.Max(l => l.Timeout) * 2) + Margin, cancellationToken);

    /// <summary>Why there are no keys; <see langword="null"/> when there are.</summary>
    public string? FailureOf(JwksLocation location) => _resolver.FindStatus(location) switch
    {
        { LastFailure: { } failure } => failure,
        { KeyCount: > 0 } => null,
        _ => $"no answer within {location.Timeout.TotalSeconds:0.#} s",
    };

    /// <summary>Where the keys are, as it may be shown.</summary>
    public string UrlOf(JwksLocation location) => _resolver.FindStatus(location)?.Url ?? "";

    public ValueTask DisposeAsync() => _resolver.DisposeAsync();
}
