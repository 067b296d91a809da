using System.Net;
using System.Text.Json;
using Portcullis.Matching;

namespace Portcullis.Policy.Tests.Authorization;

/// <summary>A request of a test: what is not set is what a plain GET over HTTP has.</summary>
internal readonly struct TestRequest() : IRequestAttributes
{
    public string Method { get; init; } = "GET";

    public string Scheme { get; init; } = "http";

    public string Authority { get; init; } = "shop.example.com";

    public string Path { get; init; } = "/";

    public string? Query { get; init; }

    public (string Name, string[] Lines)[] Headers { get; init; } = [];

    public IPAddress? PeerAddress { get; init; } = IPAddress.Parse("192.0.2.1");

    public IPAddress? RemoteAddress { get; init; } = IPAddress.Parse("192.0.2.1");

    public IPAddress? LocalAddress { get; init; } = IPAddress.Loopback;

    public int LocalPort { get; init; } = 8080;

    public PeerCertificate? PeerCertificate { get; init; }

    public string? ServerName { get; init; }

    public ClaimSet? Claims { get; init; }

    public HeaderValues GetHeader(string name)
    {
        foreach (var (header, lines) in Headers)
        {
            if (header.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return lines is [var one] ? new HeaderValues(one) : new HeaderValues(lines);
            }
        }

        return default;
    }

    public TestRequest WithClaims(string json) => this with { Claims = ClaimsOf(json) };

    public static ClaimSet ClaimsOf(string json)
    {
        using var document = JsonDocument.Parse(json);
        return new ClaimSet(document.RootElement.Clone(), [.. ClaimSet.AlwaysSpaceDelimited]);
    }

    public override string ToString() =>
        $"{Method} {Authority} {Path} ?{Query} port {LocalPort} peer {PeerAddress} remote {RemoteAddress} sni {ServerName} "
        + $"headers [{string.Join(';', Headers.Select(h => $"{h.Name}={string.Join('|', h.Lines)}"))}] "
        + $"certificate [{(PeerCertificate is { } c ? string.Join(';', [.. c.UriNames, .. c.DnsNames, c.Subject]) : null)}] claims {Claims?.Payload}";
}
