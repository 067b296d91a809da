using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Portcullis.Matching;
using Portcullis.Resources;

namespace Portcullis.Policy.Authorization.Reference;

/// <summary>Each attribute with one value of a policy (§4 to §6), by the regular expressions that Istio hands to Envoy.</summary>
internal sealed class ReferenceAttributes(AuthorizationPolicy policy, MeshConfig mesh)
{
    private static readonly string[] PlainKeys =
    [
        "source.ip", "remote.ip", "source.namespace", "source.serviceAccount", "source.principal", "source.trustDomain", "request.auth.principal",
        "request.auth.audiences", "request.auth.presenter", "destination.ip", "destination.port", "connection.sni",
    ];

    /// <summary>Whether a condition may have this key (§6.3).</summary>
    public static bool IsKey(string key) =>
        PlainKeys.Contains(key)
        || Regex.IsMatch(key, @"\Arequest\.headers\[.+\]\z", RegexOptions.Singleline)
        || ClaimPath.TryParsePolicyKey(key, out _)
        || Regex.IsMatch(key, @"\Aexperimental\.envoy\.filters\.[^\[]*\[.+\]\z", RegexOptions.Singleline);

    /// <returns><see langword="null"/> when the value cannot be used.</returns>
    public Truth? Test(string key, string value, ReferenceRequest request, string path) => key switch
    {
        "source.ip" => Address(value, request.PeerAddress),
        "remote.ip" => Address(value, request.RemoteAddress),
        "destination.ip" => Address(value, request.LocalAddress),
        "destination.port" => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port < 65536
            ? Truth.Of(request.LocalPort == port)
            : null,
        "source.principal" => value.Length == 0 ? null : Peer(request, Expand(value).Select(Principal)),
        "source.namespace" => value.Length == 0 ? null : Peer(request, [$".*/ns/{Regex.Escape(value).Replace(@"\*", ".*")}/.*"]),
        "source.serviceAccount" => ServiceAccount(value, request),
        "source.trustDomain" => TrustDomain(value, request),
        "request.auth.principal" => value.Length == 0 || policy.Action == PolicyAction.Custom ? null : RequestPrincipal(value, request),
        "request.auth.audiences" => Claim(ClaimPath.Literal("aud"), value, request),
        "request.auth.presenter" => Claim(ClaimPath.Literal("azp"), value, request),
        "hosts" => value.Length == 0 ? null : Truth.Of(Header(AsciiLower(value), AsciiLower(request.Authority))),
        "methods" => value.Length == 0 ? null : Truth.Of(Header(value, request.Method)),
        "paths" => Path(value, path),
        "connection.sni" => Truth.Of(Generic(value, request.ServerName)),
        _ when ClaimPath.TryParsePolicyKey(key, out var claim) => Claim(claim, value, request),
        _ when key.StartsWith("request.headers[", StringComparison.Ordinal) =>
            Truth.Of(HeaderLines(key["request.headers[".Length..^1], request, path).Any(l => Header(value, l))),
        _ => Truth.False, // metadata of other filters: none is ever set
    };

    /// <summary>§4: the generic forms.</summary>
    private static bool Generic(string pattern, string text) => pattern == "*" ? Full(".+", text) : Header(pattern, text);

    /// <summary>§4: the forms of headers, methods and hosts.</summary>
    private static bool Header(string pattern, string text) => pattern switch
    {
        "*" => true,
        ['*', ..] => Full(".*" + Regex.Escape(pattern[1..]), text),
        [.., '*'] => Full(Regex.Escape(pattern[..^1]) + ".*", text),
        _ => Full(Regex.Escape(pattern), text),
    };

    private static bool Full(string pattern, string text) =>
        Regex.IsMatch(text, $@"\A(?:{pattern})\z", RegexOptions.Singleline | RegexOptions.CultureInvariant);

    private static string AsciiLower(string text) => string.Concat(text.Select(c => char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c));

    private static string[] HeaderLines(string name, ReferenceRequest request, string path) => name.ToLowerInvariant() switch
    {
        ":method" => [request.Method],
        ":authority" => [request.Authority],
        ":scheme" => [request.Scheme],
        ":path" => [request.Query is null ? path : $"{path}?{request.Query}"],
        _ => request.Header(name),
    };

    private static Truth? Path(string value, string path)
    {
        if (!value.Contains('{') && !value.Contains('}'))
        {
            return value.Length == 0 ? null : Truth.Of(Generic(value, path));
        }

        return PathTemplate.IsTemplate(value) && PathTemplate.TryCompile(value, out _, out _)
            ? Truth.Of(Full(Regex.Escape(value).Replace(@"\{\*\*}", ".*").Replace(@"\{\*}", "[^/]+"), path))
            : null;
    }

    private static Truth? Address(string value, IPAddress? address) =>
        CidrBlock.TryParse(value, out var block, out _) ? Truth.Of(new CidrSet(block).Contains(address)) : null;

    private static Truth Peer(ReferenceRequest request, IEnumerable<string> patterns) =>
        Truth.Of(request.PeerNames.Any(n => patterns.Any(p => Full(p, n))));

    private static string Principal(string value) => value switch
    {
        "*" => ".+",
        ['*', ..] => "spiffe://.*" + Regex.Escape(value[1..]),
        [.., '*'] => "spiffe://" + Regex.Escape(value[..^1]) + ".*",
        _ => "spiffe://" + Regex.Escape(value),
    };

    private Truth? ServiceAccount(string value, ReferenceRequest request)
    {
        var parts = value.Split('/');
        if (parts.Length > 2 || parts.Any(p => p.Length == 0 || p.Contains('*')))
        {
            return null;
        }

        var (ns, name) = parts.Length == 2 ? (parts[0], parts[1]) : (policy.Metadata.Namespace, parts[0]);
        return Peer(request, [$"spiffe://.+/ns/{Regex.Escape(ns)}/(.+/|)sa/{Regex.Escape(name)}(/.+)?"]);
    }

    private Truth? TrustDomain(string value, ReferenceRequest request)
    {
        if (!Regex.IsMatch(value, @"\A(\*|\*?[^*/]+|[^*/]+\*)\z"))
        {
            return null;
        }

        string[] all = [mesh.TrustDomain, .. mesh.TrustDomainAliases];
        return Peer(request, (all.Contains(value) ? all : [value]).Select(v => v == "*"
            ? "spiffe://.*"
            : $"spiffe://{Regex.Escape(v).Replace(@"\*", "[^/]*")}/.*"));
    }

    /// <summary>Trust-domain aliases (§5).</summary>
    private IEnumerable<string> Expand(string principal)
    {
        string[] all = [mesh.TrustDomain, .. mesh.TrustDomainAliases];
        var domain = principal.Split('/')[0];
        var rest = principal[domain.Length..];
        if (principal.Count(c => c == '/') != 4 || domain == "*")
        {
            return [principal];
        }

        bool Covered(string alias) => domain.StartsWith('*') && alias.EndsWith(domain[1..], StringComparison.Ordinal);
        return all.Contains(domain) || domain == "cluster.local" || all.Any(Covered)
            ? all.Select(alias => Covered(alias) ? principal : alias + rest)
            : [principal];
    }

    /// <summary>§5.2, the table line by line, and <c>principalWithoutSub</c>.</summary>
    private Truth RequestPrincipal(string pattern, ReferenceRequest request)
    {
        var slash = pattern.LastIndexOf('/');
        var i = slash < 0 ? pattern : pattern[..slash];
        var s = slash < 0 ? "" : pattern[(slash + 1)..];
        var accept = mesh.PrincipalWithoutSub == PrincipalWithoutSubMode.Accept;

        bool IssuerMust(string iss) => pattern switch
        {
            "*" => iss.Length > 0,
            ['*', ..] when slash >= 0 => i == "*" ? iss.Length > 0 : iss.EndsWith(i[1..], StringComparison.Ordinal),
            ['*', ..] => iss.Length > 0,
            [.., '*'] when slash < 0 => iss.StartsWith(pattern[..^1], StringComparison.Ordinal),
            _ => iss == i,
        };

        bool SubjectMust(string sub) => pattern switch
        {
            "*" => sub.Length > 0 || accept,
            ['*', ..] when slash >= 0 => sub == s,
            ['*', ..] => sub.EndsWith(pattern[1..], StringComparison.Ordinal),
            [.., '*'] when slash >= 0 => s == "*" ? sub.Length > 0 : sub.StartsWith(s[..^1], StringComparison.Ordinal),
            [.., '*'] => sub.Length > 0,
            _ => sub == s,
        };

        if (request.IsIdentityOpen)
        {
            return request.OpenIssuer is null ? Truth.Unknown
                : !IssuerMust(request.OpenIssuer) ? Truth.False
                : pattern == "*" && accept ? Truth.True
                : Truth.Unknown;
        }

        if (request.Claims?.Issuer is not { } issuer)
        {
            return Truth.False;
        }

        var subject = request.Claims.Subject;
        if (subject is null && accept && (slash >= 0 || pattern == "*"))
        {
            subject = ""; // the principal is `iss/`
        }

        return Truth.Of(subject is not null && IssuerMust(issuer) && SubjectMust(subject));
    }

    /// <summary>§6.3, the claim rule: list or string.</summary>
    private Truth? Claim(ClaimPath path, string pattern, ReferenceRequest request)
    {
        if (policy.Action == PolicyAction.Custom)
        {
            return null;
        }

        if (request.IsIdentityOpen)
        {
            return request.OpenIssuer is not { } issuer || issuer.Contains(' ') || path.Names[0] != "iss" ? Truth.Unknown
                : Truth.Of(path.Names.Count == 1 && Generic(pattern, issuer));
        }

        if (request.Claims is null || !path.TryGet(request.Claims, out var value, out var isSplit))
        {
            return Truth.False;
        }

        string[] texts = value.ValueKind switch
        {
            JsonValueKind.String when isSplit && value.GetString()!.Trim(' ').Length > 0 => value.GetString()!.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            JsonValueKind.String => [value.GetString()!],
            JsonValueKind.Array => [.. value.EnumerateArray().Where(e => e.ValueKind == JsonValueKind.String).Select(e => e.GetString()!)],
            _ => [],
        };
        return Truth.Of(texts.Any(t => Generic(pattern, t)));
    }
}
