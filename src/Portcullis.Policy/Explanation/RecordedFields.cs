using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Portcullis.Matching;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;

namespace Portcullis.Policy.Explanation;

/// <summary>
/// What of a request one revision of the resources needs to be explained later, and what must never be kept: the least that will do is recorded. Immutable; safe
/// for concurrent use.
/// </summary>
public sealed class RecordedFields
{
    private const int StackLimit = 256;

    /// <summary>Every recorded request is searched for them.</summary>
    private const int MaxHeaders = 256;

    /// <summary>What a preflight and a client behind proxies are told by, and what a reader looks for first.</summary>
    private static readonly string[] AlwaysHeaders = ["origin", "access-control-request-method", "x-forwarded-for", "user-agent", "content-type"];

    /// <summary>Principal, audience, presenter and end.</summary>
    private static readonly string[] AlwaysClaims = ["iss", "sub", "aud", "azp", "exp"];

    private readonly FrozenSet<string> _tokenHeaders;
    private readonly FrozenSet<string> _tokenParameters;
    private readonly FrozenSet<string> _claims;
    private readonly int _longestParameter;

    /// <param name="resources">All of a gateway's resources.</param>
    public RecordedFields(ResourceSet resources)
    {
        ArgumentNullException.ThrowIfNull(resources);
        var places = resources.OfType<RequestAuthentication>().SelectMany(a => a.JwtRules).SelectMany(TokenPlace.Of).ToArray();
        _tokenHeaders = places.Where(p => p.Kind == TokenLocationKind.Header).Select(p => p.Name).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        _tokenParameters = places.Where(p => p.Kind == TokenLocationKind.Parameter).Select(p => QueryParameters.LookupKey(p.Name)).Append("access_token")
            .ToFrozenSet(StringComparer.Ordinal);
        _longestParameter = _tokenParameters.Max(p => p.Length);
        var conditions = resources.OfType<AuthorizationPolicy>().SelectMany(p => p.Rules).SelectMany(r => r.When).Select(c => c.Key).ToArray();
        var matches = resources.OfType<VirtualService>().SelectMany(s => s.Http).SelectMany(r => r.Match)
            .SelectMany(m => m.Headers.Keys.Concat(m.WithoutHeaders.Keys))
            .ToArray();
        Headers =
        [
            .. AlwaysHeaders.Concat(conditions.Select(ConditionHeader).OfType<string>()).Concat(matches)
                .Where(n => !n.StartsWith(':') && !ClaimPath.IsRouteKey(n))
                .Distinct(StringComparer.OrdinalIgnoreCase)
                .Take(MaxHeaders),
        ];
        _claims = AlwaysClaims.Concat(conditions.SelectMany(ConditionClaims)).Concat(matches.SelectMany(RouteClaims)).ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>Names of the headers that are kept: those that policies and routes mention, and a few that say who asks.</summary>
    public ImmutableArray<string> Headers { get; }

    /// <summary>Names of the top-level claims that are kept: those that policies and routes mention, and those that name the parties.</summary>
    public IReadOnlySet<string> Claims => _claims;

    /// <summary>A header value without credentials. A header that a rule reads tokens from is one altogether.</summary>
    public string HeaderValue(string name, string value) => _tokenHeaders.Contains(name) ? SecretRedaction.Replacement : SecretRedaction.HeaderValue(name, value);

    /// <summary>Path and query without credentials: a parameter that a rule reads tokens from has no value, and what looks like a token is replaced.</summary>
    public string Target(string target)
    {
        ArgumentNullException.ThrowIfNull(target);
        var question = target.IndexOf('?', StringComparison.Ordinal);
        return SecretRedaction.Target(question < 0 ? target : string.Concat(target.AsSpan(0, question + 1), Query(target[(question + 1)..])));
    }

    /// <summary>The claims that are kept, as a JSON object.</summary>
    /// <param name="claims">Of a verified token.</param>
    /// <param name="maxBytes">Limit of the object's size in bytes; a claim that goes beyond it is left out.</param>
    public RecordedClaims Record(ClaimSet claims, int maxBytes)
    {
        ArgumentNullException.ThrowIfNull(claims);
        var json = new MemoryStream();
        json.WriteByte((byte)'{');
        var split = new List<string>();
        var (isCut, isFiltered) = (false, false);
        foreach (var member in claims.Payload.EnumerateObject())
        {
            if (!_claims.Contains(member.Name))
            {
                isFiltered = true;
                continue;
            }

            var name = Encoding.UTF8.GetBytes($"{(json.Length > 1 ? "," : "")}\"{JsonEncodedText.Encode(member.Name)}\":");
            var value = JsonMarshal.GetRawUtf8Value(member.Value);
            if (json.Length + name.Length + value.Length + 1 > maxBytes)
            {
                isCut = true;
                continue;
            }

            json.Write(name);
            json.Write(value);
            if (claims.IsSpaceDelimited(member.Name))
            {
                split.Add(member.Name);
            }
        }

        json.WriteByte((byte)'}');
        return new RecordedClaims(json.ToArray(), [.. split], isFiltered, isCut);
    }

    private string Query(string query)
    {
        StringBuilder? redacted = null;
        var copied = 0;
        var buffer = _longestParameter <= StackLimit ? stackalloc char[StackLimit] : new char[_longestParameter];
        var names = _tokenParameters.GetAlternateLookup<ReadOnlySpan<char>>();
        var pieces = new QueryParameters(query);
        while (pieces.MoveNext())
        {
            scoped var name = pieces.Name;
            if (name.Contains('%'))
            {
                var length = PercentEncoding.Decode(name, buffer);
                name = length < 0 ? default : buffer[..length];
            }

            if (names.Contains(name))
            {
                (redacted ??= new StringBuilder(query.Length)).Append(query, copied, pieces.ValueStart - copied).Append(SecretRedaction.Replacement);
                copied = pieces.End;
            }
        }

        return redacted is null ? query : redacted.Append(query, copied, query.Length - copied).ToString();
    }

    private static string? ConditionHeader(string key) =>
        key.StartsWith("request.headers[", StringComparison.Ordinal) && key.EndsWith(']') ? key["request.headers[".Length..^1] : null;

    private static IEnumerable<string> ConditionClaims(string key) => ClaimPath.TryParsePolicyKey(key, out var path) ? [path.Names[0]] : [];

    /// <summary>Both readings of a name with dots.</summary>
    private static IEnumerable<string> RouteClaims(string key) =>
        ClaimPath.TryParseRouteKey(key, out var path) ? [path.Names[0], string.Join('.', path.Names)] : [];
}

/// <summary>Claims that were kept of a token.</summary>
/// <param name="Json">UTF-8 of a JSON object.</param>
/// <param name="SpaceDelimited">Names of those that are seen as lists.</param>
/// <param name="IsFiltered">The token has others, which nothing mentions.</param>
/// <param name="IsCut">One that is mentioned was too long to be kept.</param>
public sealed record RecordedClaims(ReadOnlyMemory<byte> Json, ImmutableArray<string> SpaceDelimited, bool IsFiltered, bool IsCut)
{
    /// <summary>The claims as policies and routes see them.</summary>
    public ClaimSet ToClaims() => new(JsonElement.Parse(Json.Span), [.. SpaceDelimited]);
}
