using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Nodes;
using Portcullis.Matching;
using Portcullis.Resources;
using Portcullis.Resources.PolicyTests;

namespace Portcullis.Gateway.PolicyTests;

/// <summary>A request that is made to satisfy a rule, by the first value of each of its lists. What came of it shows whether that was enough.</summary>
internal sealed record ScaffoldRequest
{
    private const string Anything = "x";
    private const string Subject = "somebody";

    /// <summary>Method.</summary>
    public string Method { get; init; } = "GET";

    /// <summary>Host header.</summary>
    public required string Host { get; init; }

    /// <summary>Path.</summary>
    public string Path { get; init; } = "/";

    /// <summary>Port that is declared.</summary>
    public int Port { get; init; } = 80;

    /// <summary>Headers.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Claims; <see langword="null"/> for no token.</summary>
    public JsonObject? Claims { get; init; }

    /// <summary>The client.</summary>
    public TestClient Client { get; init; } = new();

    /// <summary>Makes one.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="host">Host where the rule asks for none.</param>
    /// <param name="issuers">The attached JWT rules.</param>
    public static ScaffoldRequest For(AuthorizationRule rule, string host, ImmutableArray<JwtRule> issuers)
    {
        var request = new ScaffoldRequest { Host = host };
        if (rule.From is [var source, ..])
        {
            request = request.With("request.auth.principal", First(source.RequestPrincipals), issuers)
                .With("source.ip", First(source.IpBlocks), issuers)
                .With("remote.ip", First(source.RemoteIpBlocks), issuers)
                .With("source.principal", First(source.Principals), issuers)
                .With("source.namespace", First(source.Namespaces), issuers);
        }

        if (rule.To is [var operation, ..])
        {
            request = request with
            {
                Method = First(operation.Methods) is { } method ? Concrete(method) : request.Method,
                Path = First(operation.Paths) is { } path ? ConcretePath(path) : request.Path,
                Host = First(operation.Hosts) is { } asked && asked != "*" ? Concrete(asked) : request.Host,
            };
            request = request.With("destination.port", First(operation.Ports), issuers);
        }

        return rule.When.Aggregate(request, (r, c) => r.With(c.Key, First(c.Values), issuers));
    }

    /// <summary>The test; its expectation is still to be found.</summary>
    public PolicyTest ToTest(string name) => new()
    {
        Name = name,
        Position = default,
        Request = new TestRequest(Method, "http", Host, Port, Path, Headers),
        Claims = Claims is null ? null : new TestClaims([.. Claims.Select(c => new TestClaim(c.Key, c.Value?.ToJsonString() ?? "null"))]),
        Client = Client,
        Expect = new TestExpectation(),
    };

    /// <summary>A token of an issuer, with an audience of its rule.</summary>
    public static JsonObject ClaimsOf(string issuer, string? subject, ImmutableArray<JwtRule> issuers)
    {
        var claims = new JsonObject { ["iss"] = issuer };
        if (subject is not null)
        {
            claims["sub"] = subject;
        }

        if (issuers.FirstOrDefault(r => r.Issuer == issuer) is { Audiences: [var audience, ..] })
        {
            claims["aud"] = audience;
        }

        return claims;
    }

    private ScaffoldRequest With(string key, string? value, ImmutableArray<JwtRule> issuers)
    {
        if (value is null)
        {
            return this;
        }

        switch (key)
        {
            case "request.auth.principal":
                return this with { Claims = Principal(value, issuers) };
            case "request.auth.audiences":
                return WithClaim(["aud"], value, issuers);
            case "request.auth.presenter":
                return WithClaim(["azp"], value, issuers);
            case "source.ip" when AddressIn(value) is { } ip:
                return this with { Client = Client with { Ip = ip } };
            case "remote.ip" when AddressIn(value) is { } ip:
                return this with { Client = Client with { RemoteIp = ip } };
            case "source.principal":
                return this with { Client = Client with { Principal = $"spiffe://{Concrete(value)}" } };
            case "source.namespace":
                return this with { Client = Client with { Principal = $"spiffe://cluster.local/ns/{Concrete(value)}/sa/{Anything}" } };
            case "connection.sni":
                return this with { Client = Client with { ServerName = Concrete(value) } };
            case "destination.port" when int.TryParse(value, System.Globalization.NumberStyles.None, null, out var port):
                return this with { Port = port };
            case var _ when ClaimPath.TryParsePolicyKey(key, out var claim):
                return WithClaim([.. claim.Names], value, issuers);
            case var _ when key.StartsWith("request.headers[", StringComparison.Ordinal) && key.EndsWith(']') && key["request.headers[".Length] != ':':
                return this with { Headers = Headers.Add(new(key["request.headers[".Length..^1], Concrete(value))) };
            default:
                return this;
        }
    }

    private ScaffoldRequest WithClaim(string[] path, string value, ImmutableArray<JwtRule> issuers)
    {
        var claims = Claims?.DeepClone().AsObject() ?? ClaimsOf(issuers.FirstOrDefault(r => r.Issuer is not null)?.Issuer ?? "https://issuer.example", Subject, issuers);
        var parent = claims;
        foreach (var name in path[..^1])
        {
            if (parent[name] is not JsonObject child)
            {
                parent[name] = child = [];
            }

            parent = child;
        }

        parent[path[^1]] = Concrete(value);
        return this with { Claims = claims };
    }

    private static JsonObject Principal(string pattern, ImmutableArray<JwtRule> issuers)
    {
        var known = issuers.FirstOrDefault(r => r.Issuer is not null)?.Issuer ?? "https://issuer.example";
        var slash = pattern.LastIndexOf('/');
        if (slash < 0)
        {
            return ClaimsOf(issuers.FirstOrDefault(r => r.Issuer is not null && pattern.EndsWith('*') && r.Issuer.StartsWith(pattern[..^1], StringComparison.Ordinal))?.Issuer ?? known, pattern.StartsWith('*') && pattern.Length > 1 ? Concrete(pattern) : Subject, issuers);
        }

        var (issuer, subject) = (pattern[..slash], pattern[(slash + 1)..]);
        return ClaimsOf(
            issuer.StartsWith('*') ? issuers.FirstOrDefault(r => r.Issuer?.EndsWith(issuer[1..], StringComparison.Ordinal) == true)?.Issuer ?? Concrete(issuer) : issuer,
            subject.Length == 0 ? null : subject == "*" ? Subject : Concrete(subject),
            issuers);
    }

    private static string? First(ImmutableArray<string> values) => values.IsDefaultOrEmpty ? null : values[0];

    private static string Concrete(string pattern) => pattern.Replace("*", Anything, StringComparison.Ordinal);

    private static string ConcretePath(string pattern)
    {
        var path = Concrete(pattern.Replace("{**}", $"{Anything}/{Anything}", StringComparison.Ordinal).Replace("{*}", Anything, StringComparison.Ordinal));
        return path.StartsWith('/') ? path : $"/{path}";
    }

    private static IPAddress? AddressIn(string block) => IPAddress.TryParse(block.Split('/')[0], out var address) ? address : null;
}
