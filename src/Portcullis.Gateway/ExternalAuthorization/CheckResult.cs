namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>How a check ended.</summary>
internal enum CheckOutcome
{
    /// <summary>The request may pass.</summary>
    Ok,

    /// <summary>It may not, and the authorizer says what the client is answered.</summary>
    Denied,

    /// <summary>The authorizer could not be asked, or says that it could not decide.</summary>
    Error,

    /// <summary>The authorizer allows, but wants a header that cannot be written.</summary>
    Invalid,
}

/// <summary>How a header is changed (Envoy's <c>HeaderAppendAction</c>).</summary>
internal enum HeaderChangeKind
{
    /// <summary>A further line.</summary>
    Append,

    /// <summary>Only when there is none.</summary>
    AddIfAbsent,

    /// <summary>In place of all lines.</summary>
    Overwrite,

    /// <summary>In place of all lines, when there is one.</summary>
    OverwriteIfExists,
}

/// <summary>One change of one header.</summary>
internal readonly record struct HeaderChange(string Name, string Value, HeaderChangeKind Kind);

/// <summary>An authorizer's answer in one form for both protocols.</summary>
internal sealed class CheckResult
{
    public required CheckOutcome Outcome { get; init; }

    /// <summary>Why, for the log; holds nothing of the request.</summary>
    public string? Reason { get; init; }

    /// <summary>Status of the answer to the client; <see langword="null"/> leaves it to the provider's configuration.</summary>
    public int? Status { get; init; }

    /// <summary>Body of the answer to the client.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Headers of the answer to the client, one character a byte.</summary>
    public List<HeaderChange> ReplyHeaders { get; } = [];

    /// <summary>Changes of the request that passes.</summary>
    public List<HeaderChange> RequestHeaders { get; } = [];

    /// <summary>Names that the request that passes loses.</summary>
    public List<string> RemovedHeaders { get; } = [];

    /// <summary>Headers that the backend's response gets, one character a byte.</summary>
    public List<HeaderChange> ResponseHeaders { get; } = [];

    /// <summary>Query parameters that are set.</summary>
    public List<KeyValuePair<string, string>> Parameters { get; } = [];

    /// <summary>Query parameters that are removed.</summary>
    public List<string> RemovedParameters { get; } = [];

    public static CheckResult Failed(string reason) => new() { Outcome = CheckOutcome.Error, Reason = reason };

    /// <summary>Whether every header can be written.</summary>
    public bool HasValidHeaders() => AreValid(ReplyHeaders) && AreValid(RequestHeaders) && AreValid(ResponseHeaders);

    private static bool AreValid(List<HeaderChange> changes)
    {
        foreach (var change in changes)
        {
            if (!AuthorizerHeaders.IsValid(change.Name, change.Value))
            {
                return false;
            }
        }

        return true;
    }
}
