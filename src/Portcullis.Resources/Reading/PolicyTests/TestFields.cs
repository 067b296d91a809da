using System.Collections.Immutable;
using Portcullis.Resources.PolicyTests;

namespace Portcullis.Resources.Reading.PolicyTests;

/// <summary>What one level of a test file says: the defaults, a test, or a case of it. A level counts over the one above.</summary>
internal sealed record TestFields
{
    public RequestFields Request { get; init; } = new();

    /// <summary>Who: <see langword="null"/> says nothing, so the level above counts.</summary>
    public Identity? Who { get; init; }

    /// <summary>Claims that replace single ones of the identity.</summary>
    public ImmutableArray<TestClaim> Claims { get; init; } = [];

    public TestTokenPlace? TokenPlace { get; init; }

    public TestClient? Client { get; init; }

    public ImmutableDictionary<string, AuthorizerAnswer> Authorizers { get; init; } = ImmutableDictionary<string, AuthorizerAnswer>.Empty;

    public TestExpectation? Expect { get; init; }

    public string? Skip { get; init; }

    /// <summary>This level over the one above.</summary>
    public TestFields Over(TestFields above) => new()
    {
        Request = Request.Over(above.Request),
        Who = Who ?? above.Who,
        Claims = Who is null ? Merge(above.Claims, Claims) : Claims,
        TokenPlace = TokenPlace ?? above.TokenPlace,
        Client = Client ?? above.Client,
        Authorizers = above.Authorizers.SetItems(Authorizers),
        Expect = Expect ?? above.Expect,
        Skip = Skip ?? above.Skip,
    };

    /// <summary>The identity with its single claims replaced.</summary>
    public TestClaims? AllClaims => Who?.Claims is { } claims ? new TestClaims(Merge(claims, Claims)) : null;

    private static ImmutableArray<TestClaim> Merge(ImmutableArray<TestClaim> below, ImmutableArray<TestClaim> above) =>
        [.. below.Where(c => !above.Any(a => a.Name == c.Name)), .. above];
}

/// <summary>Claims, a token, or neither: an anonymous client.</summary>
internal sealed record Identity(ImmutableArray<TestClaim>? Claims, string? Token)
{
    public static Identity Anonymous { get; } = new(null, null);
}

/// <summary>The parts of a request that a level names.</summary>
internal sealed record RequestFields
{
    public string? Method { get; init; }

    public string? Scheme { get; init; }

    public string? Host { get; init; }

    public int? Port { get; init; }

    public string? Path { get; init; }

    public ImmutableArray<KeyValuePair<string, string>> Query { get; init; } = [];

    public ImmutableArray<KeyValuePair<string, string>> Headers { get; init; } = [];

    public RequestFields Over(RequestFields above) => new()
    {
        Method = Method ?? above.Method,
        Scheme = Scheme ?? above.Scheme,
        Host = Host ?? above.Host,
        Port = Port ?? above.Port,
        Path = Path ?? above.Path,
        Query = Path is null ? Merge(above.Query, Query, StringComparer.Ordinal) : Query,
        Headers = Merge(above.Headers, Headers, StringComparer.OrdinalIgnoreCase),
    };

    /// <summary>The request; <see langword="null"/> as long as no level names a host.</summary>
    public TestRequest? Build()
    {
        var scheme = Scheme ?? "http";
        var query = string.Join('&', Query.Select(q => $"{Uri.EscapeDataString(q.Key)}={Uri.EscapeDataString(q.Value)}"));
        var path = Path ?? "/";
        var target = query.Length == 0 ? path : $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{query}";
        return Host is null ? null : new TestRequest(Method ?? "GET", scheme, Host, Port ?? (scheme == "https" ? 443 : 80), target, Headers);
    }

    private static ImmutableArray<KeyValuePair<string, string>> Merge(
        ImmutableArray<KeyValuePair<string, string>> below, ImmutableArray<KeyValuePair<string, string>> above, StringComparer names) =>
        [.. below.Where(h => !above.Any(a => names.Equals(a.Key, h.Key))), .. above];
}
