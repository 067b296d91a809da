using System.Net;
using System.Text.Json;
using Portcullis.Matching;

namespace Portcullis.Routing.Tests.Support;

/// <summary>A request as the data plane would show it to routes.</summary>
internal readonly struct TestRequest(string target, string authority = "foo.com", string method = "GET", params (string Name, string Value)[] headers)
    : IRequestAttributes
{
    private readonly (string Name, string Value)[] _headers = headers;

    public string Method { get; init; } = method;

    public string Scheme { get; init; } = "http";

    public string Authority { get; init; } = authority;

    public string Path { get; init; } = target.Split('?', 2)[0];

    public string? Query { get; init; } = target.Split('?', 2) is [_, var query] ? query : null;

    public IPAddress? PeerAddress => null;

    public IPAddress? RemoteAddress => null;

    public IPAddress? LocalAddress => null;

    public int LocalPort => 8080;

    public PeerCertificate? PeerCertificate => null;

    public string? ServerName => null;

    public ClaimSet? Claims { get; init; }

    public HeaderValues GetHeader(string name)
    {
        var count = 0;
        var first = "";
        foreach (var header in _headers ?? [])
        {
            if (header.Name.Equals(name, StringComparison.OrdinalIgnoreCase) && count++ == 0)
            {
                first = header.Value;
            }
        }

        return count < 2
            ? new(count == 0 ? null : first)
            : new(All(_headers!, name));
    }

    /// <summary>Apart, for its closure would be allocated for every header.</summary>
    private static string[] All((string Name, string Value)[] headers, string name) =>
        [.. headers.Where(h => h.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(h => h.Value)];

    public TestRequest WithClaims(string json) =>
        this with { Claims = new(JsonDocument.Parse(json).RootElement.Clone(), [.. ClaimSet.AlwaysSpaceDelimited]) };
}
