using System.Collections.Immutable;

namespace Portcullis.Policy.Authentication;

/// <summary>
/// The changes that authentication asks for before a request is forwarded (authentication.md §10), in the order in which they are made: remove, append, replace the query.
/// Immutable; instances without token text are shared.
/// </summary>
public sealed class RequestEdits
{
    internal RequestEdits(
        ImmutableArray<string> headersToRemove,
        ImmutableArray<AppendedHeader> headersToAppend,
        bool replacesQuery = false,
        string? query = null)
    {
        HeadersToRemove = headersToRemove;
        HeadersToAppend = headersToAppend;
        ReplacesQuery = replacesQuery;
        Query = query;
    }

    /// <summary>All lines of these go: verified tokens, and whatever the client sent under the name of an output header. No name stands here twice.</summary>
    public ImmutableArray<string> HeadersToRemove { get; }

    /// <summary>Then one line each is added.</summary>
    public ImmutableArray<AppendedHeader> HeadersToAppend { get; }

    /// <summary>Whether <see cref="Query"/> takes the place of the request's query.</summary>
    public bool ReplacesQuery { get; }

    /// <summary>The query without its token, otherwise as the client wrote it; <see langword="null"/> leaves no <c>?</c>.</summary>
    public string? Query { get; }
}

/// <summary>A header line to add.</summary>
/// <param name="Name">An RFC 9110 token.</param>
/// <param name="Value">Without CR, LF and NUL; may hold characters outside of ASCII, to be sent as UTF-8.</param>
public readonly record struct AppendedHeader(string Name, string Value);
