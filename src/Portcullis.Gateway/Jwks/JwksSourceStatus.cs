namespace Portcullis.Gateway.Jwks;

/// <summary>Where the keys in use are from.</summary>
public enum JwksOrigin
{
    /// <summary>There are none: every token of the issuer is refused.</summary>
    None,

    /// <summary>A fetch by this process.</summary>
    KeyServer,

    /// <summary>A fetch by an earlier process, kept in the state directory; no fetch has succeeded since the start.</summary>
    StateDirectory,
}

/// <summary>One remote key set as the operator sees it: readiness detail, metrics, console. A moment's picture, immutable.</summary>
public sealed record JwksSourceStatus
{
    /// <summary>The rule's issuer; <see langword="null"/> when it accepts every one.</summary>
    public required string? Issuer { get; init; }

    /// <summary>The URL of the keys, or of the discovery document until it has named one. Without user, query and fragment.</summary>
    public required string Url { get; init; }

    /// <summary>Whether the URL comes from OpenID discovery.</summary>
    public required bool IsDiscovered { get; init; }

    /// <summary>Where the keys in use are from.</summary>
    public JwksOrigin Origin { get; init; }

    /// <summary>Number of keys in use.</summary>
    public int KeyCount { get; init; }

    /// <summary>Their key ids, in the order of the set.</summary>
    public IReadOnlyList<string> KeyIds { get; init; } = [];

    /// <summary>Rises by one whenever the keys really change; 0 before the first.</summary>
    public long Generation { get; init; }

    /// <summary>Fetches that ended, well or not.</summary>
    public long Attempts { get; init; }

    /// <summary>When the last fetch ended; <see langword="null"/> before the first.</summary>
    public DateTimeOffset? LastAttempt { get; init; }

    /// <summary>When keys were last fetched or confirmed, by an earlier process too; <see langword="null"/> if never.</summary>
    public DateTimeOffset? LastSuccess { get; init; }

    /// <summary>Why the last fetch failed; <see langword="null"/> after a success.</summary>
    public string? LastFailure { get; init; }

    /// <summary>Fetches that failed since the last success.</summary>
    public int ConsecutiveFailures { get; init; }

    /// <summary>What went wrong beside a success: a discovery document that cannot be had any more, a state file that cannot be written.</summary>
    public string? Warning { get; init; }

    /// <summary>When the next fetch is due; <see langword="null"/> when only a change of configuration can help, or none names the source any more.</summary>
    public DateTimeOffset? NextTry { get; init; }

    /// <summary>No keys, or the last fetch failed.</summary>
    public bool IsDegraded => KeyCount == 0 || LastFailure is not null;
}
