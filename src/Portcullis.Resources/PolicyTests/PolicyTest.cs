using System.Collections.Immutable;
using System.Net;

namespace Portcullis.Resources.PolicyTests;

/// <summary>One request, and what has to become of it.</summary>
public sealed record PolicyTest
{
    /// <summary>Name, with the case's own behind a slash.</summary>
    public required string Name { get; init; }

    /// <summary>Where it stands.</summary>
    public required SourcePosition Position { get; init; }

    /// <summary>The request.</summary>
    public required TestRequest Request { get; init; }

    /// <summary>Claims of the token that is made for the request; <see langword="null"/> for none.</summary>
    public TestClaims? Claims { get; init; }

    /// <summary>A token as it is, verified with the configured keys.</summary>
    public string? Token { get; init; }

    /// <summary>Where the token stands in the request; <see langword="null"/> is where the rule of its issuer looks first.</summary>
    public TestTokenPlace? TokenPlace { get; init; }

    /// <summary>The client.</summary>
    public TestClient Client { get; init; } = new();

    /// <summary>What external authorizers answer, by provider; the empty name is every other.</summary>
    public ImmutableDictionary<string, AuthorizerAnswer> Authorizers { get; init; } = ImmutableDictionary<string, AuthorizerAnswer>.Empty;

    /// <summary>What has to become of it.</summary>
    public required TestExpectation Expect { get; init; }

    /// <summary>Why it is left out; <see langword="null"/> runs it.</summary>
    public string? Skip { get; init; }
}

/// <summary>A request as a client sends it.</summary>
/// <param name="Method">Case counts.</param>
/// <param name="Scheme"><c>http</c> or <c>https</c>.</param>
/// <param name="Host">Host header.</param>
/// <param name="Port">Port that a Gateway's server declares.</param>
/// <param name="Target">Path and query, not normalised.</param>
/// <param name="Headers">Header lines.</param>
public sealed record TestRequest(string Method, string Scheme, string Host, int Port, string Target, ImmutableArray<KeyValuePair<string, string>> Headers);

/// <summary>Who connects.</summary>
public sealed record TestClient
{
    /// <summary>The TCP peer.</summary>
    public IPAddress Ip { get; init; } = IPAddress.Loopback;

    /// <summary>The client's address; <see langword="null"/> is what X-Forwarded-For and the trusted proxies give.</summary>
    public IPAddress? RemoteIp { get; init; }

    /// <summary>URI name of the client certificate, <c>spiffe://…</c>; <see langword="null"/> for no certificate.</summary>
    public string? Principal { get; init; }

    /// <summary>TLS server name; <see langword="null"/> is the host for https.</summary>
    public string? ServerName { get; init; }
}

/// <summary>Where a token stands in a request.</summary>
public enum TestTokenKind
{
    /// <summary>In a header.</summary>
    Header,

    /// <summary>In a query parameter.</summary>
    Parameter,

    /// <summary>In a cookie.</summary>
    Cookie,
}

/// <summary>Where a token stands in a request.</summary>
/// <param name="Kind">Header, parameter or cookie.</param>
/// <param name="Name">Its name.</param>
/// <param name="Prefix">Text before the token, in a header.</param>
public sealed record TestTokenPlace(TestTokenKind Kind, string Name, string Prefix = "")
{
    /// <summary><c>Authorization: Bearer</c>.</summary>
    public static TestTokenPlace Bearer { get; } = new(TestTokenKind.Header, "authorization", "Bearer ");
}

/// <summary>How an external authorizer answers.</summary>
/// <param name="Outcome">Allow, deny, or no answer at all.</param>
/// <param name="Status">Status of a denial.</param>
public sealed record AuthorizerAnswer(AuthorizerOutcome Outcome, int Status = 403);

/// <summary>How an external authorizer answers.</summary>
public enum AuthorizerOutcome
{
    /// <summary>The request goes on.</summary>
    Allow,

    /// <summary>The request is refused.</summary>
    Deny,

    /// <summary>It cannot be asked, or fails: <c>failOpen</c> and <c>statusOnError</c> of the provider decide.</summary>
    Error,
}
