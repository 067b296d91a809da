using System.Net;
using Portcullis.Matching;
using Portcullis.Policy.Authentication;

namespace Portcullis.Policy.Explanation;

/// <summary>Facts as policies and routes see them at one stage: the path normalised, and headers as authentication leaves them.</summary>
public readonly struct FactsView : IRequestAttributes
{
    private readonly RequestFacts _facts;
    private readonly ILookup<string, string> _headers;

    /// <param name="facts">The request.</param>
    /// <param name="path">Normalised path.</param>
    /// <param name="query">Query; <see langword="null"/> when there is no <c>?</c>.</param>
    public FactsView(RequestFacts facts, string path, string? query)
        : this(facts, path, query, null)
    {
    }

    private FactsView(RequestFacts facts, string path, string? query, ClaimSet? claims)
    {
        _facts = facts;
        _headers = facts.Headers.ToLookup(h => h.Key, h => h.Value, StringComparer.OrdinalIgnoreCase);
        (Path, Query, Claims) = (path, query, claims);
    }

    /// <inheritdoc/>
    public string Method => _facts.Method;

    /// <inheritdoc/>
    public string Scheme => _facts.Scheme;

    /// <inheritdoc/>
    public string Authority => _facts.Authority;

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public string? Query { get; }

    /// <inheritdoc/>
    public IPAddress? PeerAddress => _facts.PeerAddress;

    /// <inheritdoc/>
    public IPAddress? RemoteAddress => _facts.RemoteAddress;

    /// <inheritdoc/>
    public IPAddress? LocalAddress => _facts.LocalAddress;

    /// <inheritdoc/>
    public int LocalPort => _facts.LocalPort;

    /// <inheritdoc/>
    public PeerCertificate? PeerCertificate => _facts.PeerCertificate;

    /// <inheritdoc/>
    public string? ServerName => _facts.ServerName;

    /// <inheritdoc/>
    public ClaimSet? Claims { get; }

    /// <inheritdoc/>
    public HeaderValues GetHeader(string name) => name switch
    {
        ":method" => new HeaderValues(Method),
        ":authority" => new HeaderValues(Authority),
        ":scheme" => new HeaderValues(Scheme),
        ":path" => new HeaderValues(Query is null ? Path : $"{Path}?{Query}"),
        _ => _headers[name].ToArray() is [var one] ? new HeaderValues(one) : new HeaderValues([.. _headers[name]]),
    };

    /// <summary>The request with its identity, and with what authentication changes in it.</summary>
    internal FactsView After(ClaimSet? claims, RequestEdits? edits)
    {
        if (edits is null)
        {
            return new FactsView(_facts, Path, Query, claims);
        }

        var facts = _facts with
        {
            Headers =
            [
                .. _facts.Headers.Where(h => !edits.HeadersToRemove.Contains(h.Key, StringComparer.OrdinalIgnoreCase)),
                .. edits.HeadersToAppend.Select(h => KeyValuePair.Create(h.Name, h.Value)),
            ],
        };
        return new FactsView(facts, Path, edits.ReplacesQuery ? edits.Query : Query, claims);
    }
}
