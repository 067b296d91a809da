using System.Collections.Immutable;
using Portcullis.Gateway.Explanation;
using Portcullis.Matching;
using Portcullis.Resources;
using Portcullis.Resources.PolicyTests;

namespace Portcullis.Gateway.PolicyTests;

/// <summary>Makes the request of a test, its token where the rule of its issuer looks for one.</summary>
internal sealed class TestRequests(TestTokens tokens, ImmutableArray<RequestAuthentication> attached)
{
    public RequestDescription Describe(PolicyTest test, DateTimeOffset now)
    {
        var request = test.Request;
        var description = new RequestDescription
        {
            Method = request.Method,
            Scheme = request.Scheme,
            Authority = AuthorityOf(request),
            Port = request.Port,
            Target = request.Target,
            Headers = request.Headers,
            SourceIp = test.Client.Ip,
            RemoteIp = test.Client.RemoteIp,
            PeerCertificate = test.Client.Principal is { } name ? new PeerCertificate([name], [], "") : null,
            ServerName = test.Client.ServerName,
        };
        var token = test.Token ?? (test.Claims is { } claims ? tokens.Mint(claims, now) : null);
        return token is null ? description : Carry(description, token, test.TokenPlace ?? PlaceFor(test.Claims?.Issuer));
    }

    /// <summary>A client leaves out the port of the scheme.</summary>
    private static string AuthorityOf(TestRequest request)
    {
        var suffix = request.Scheme == "http" ? ":80" : ":443";
        return request.Host.EndsWith(suffix, StringComparison.Ordinal) ? request.Host[..^suffix.Length] : request.Host;
    }

    private TestTokenPlace PlaceFor(string? issuer)
    {
        var rules = attached.SelectMany(a => a.JwtRules).ToList();
        return (rules.Find(r => r.Issuer is not null && r.Issuer == issuer) ?? rules.Find(r => string.IsNullOrEmpty(r.Issuer))) switch
        {
            { FromHeaders: [var header, ..] } => new TestTokenPlace(TestTokenKind.Header, header.Name, header.Prefix),
            { FromParams: [var parameter, ..] } => new TestTokenPlace(TestTokenKind.Parameter, parameter),
            { FromCookies: [var cookie, ..] } => new TestTokenPlace(TestTokenKind.Cookie, cookie),
            _ => TestTokenPlace.Bearer,
        };
    }

    private static RequestDescription Carry(RequestDescription request, string token, TestTokenPlace place)
    {
        switch (place.Kind)
        {
            case TestTokenKind.Parameter:
                var hasQuery = request.Target.Contains('?', StringComparison.Ordinal);
                return request with { Target = $"{request.Target}{(hasQuery ? '&' : '?')}{Uri.EscapeDataString(place.Name)}={token}" };
            case TestTokenKind.Cookie:
                return request with { Headers = request.Headers.Add(new("cookie", $"{place.Name}={token}")) };
            default:
                return request with { Headers = request.Headers.Add(new(place.Name, place.Prefix + token)) };
        }
    }
}
