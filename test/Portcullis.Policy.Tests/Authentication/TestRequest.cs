using System.Net;
using Portcullis.Matching;
using Portcullis.Policy.Authentication;

namespace Portcullis.Policy.Tests.Authentication;

/// <summary>A request as a test writes it down.</summary>
internal readonly struct TestRequest(string target = "/", string method = "GET", params (string Name, string Value)[] headers) : IRequestAttributes
{
    private readonly (string Name, string Value)[] _headers = headers;

    public static TestRequest WithBearer(string token) => new("/", "GET", ("authorization", $"Bearer {token}"));

    public IReadOnlyList<(string Name, string Value)> Headers => _headers;

    public string Method { get; } = method;

    public string Path { get; } = target.Split('?', 2)[0];

    public string? Query { get; } = target.Split('?', 2) is [_, var query] ? query : null;

    public string Scheme => "http";

    public string Authority => "h.example";

    public IPAddress? PeerAddress => null;

    public IPAddress? RemoteAddress => null;

    public IPAddress? LocalAddress => null;

    public int LocalPort => 80;

    public PeerCertificate? PeerCertificate => null;

    public string? ServerName => null;

    public ClaimSet? Claims => null;

    public HeaderValues GetHeader(string name)
    {
        string? one = null;
        foreach (var header in _headers)
        {
            if (string.Equals(header.Name, name, StringComparison.OrdinalIgnoreCase))
            {
                if (one is not null)
                {
                    return new([.. Lines(name)]); // apart, so that no closure is made for one line
                }

                one = header.Value;
            }
        }

        return new(one);
    }

    /// <summary>What the backend gets.</summary>
    public TestRequest After(RequestEdits? edits)
    {
        if (edits is null)
        {
            return this;
        }

        var kept = _headers.Where(h => !edits.HeadersToRemove.Contains(h.Name, StringComparer.OrdinalIgnoreCase));
        var query = edits.ReplacesQuery ? edits.Query : Query;
        return new(query is null ? Path : $"{Path}?{query}", Method, [.. kept, .. edits.HeadersToAppend.Select(h => (h.Name, h.Value))]);
    }

    public IEnumerable<string> Lines(string name) =>
        _headers.Where(h => string.Equals(h.Name, name, StringComparison.OrdinalIgnoreCase)).Select(h => h.Value);

    public string Target => Query is null ? Path : $"{Path}?{Query}";
}
