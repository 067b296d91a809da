using System.Net;
using System.Text.Json;
using Portcullis.Matching;
using Portcullis.Policy.Authorization.Reference;
using Portcullis.Resources;

namespace Portcullis.Policy.Explanation;

/// <summary>What a request has where a clause looks, for reading; without credentials.</summary>
internal static class SeenValue
{
    private const int MaxLength = 300;
    private const string Absent = "absent";

    /// <param name="key">Attribute, as <see cref="ReferenceAttributes.Test"/> takes it.</param>
    /// <param name="request">The request.</param>
    /// <param name="path">The reading of the path that is tried.</param>
    /// <param name="mesh">Says what a token without subject is.</param>
    public static string Of(string key, ReferenceRequest request, string path, MeshConfig mesh) => Shorten(key switch
    {
        "source.ip" => Address(request.PeerAddress),
        "remote.ip" => Address(request.RemoteAddress),
        "destination.ip" => Address(request.LocalAddress),
        "destination.port" => request.LocalPort.ToString(System.Globalization.CultureInfo.InvariantCulture),
        "source.principal" or "source.namespace" or "source.serviceAccount" or "source.trustDomain" =>
            request.PeerNames.Length == 0 ? "absent (no client certificate)" : string.Join(", ", request.PeerNames.Select(Quote)),
        "request.auth.principal" => Principal(request.Claims, mesh) is { } principal ? Quote(principal)
            : request.Claims is null ? "absent (no token)"
            : "absent (the token lacks `iss` or `sub`)",
        "request.auth.audiences" => Claim(ClaimPath.Literal("aud"), request.Claims),
        "request.auth.presenter" => Claim(ClaimPath.Literal("azp"), request.Claims),
        "hosts" => Quote(request.Authority),
        "methods" => Quote(request.Method),
        "paths" => Quote(path),
        "connection.sni" => Quote(request.ServerName),
        _ when ClaimPath.TryParsePolicyKey(key, out var claim) => Claim(claim, request.Claims),
        _ when key.StartsWith("request.headers[", StringComparison.Ordinal) && key.EndsWith(']') => Header(key["request.headers[".Length..^1], request, path),
        _ => Absent,
    });

    /// <summary><c>issuer/subject</c>; <see langword="null"/> when the claims make none.</summary>
    public static string? Principal(ClaimSet? claims, MeshConfig mesh) => claims switch
    {
        { Issuer: { } issuer, Subject: { } subject } => $"{issuer}/{subject}",
        { Issuer: { } issuer } when mesh.PrincipalWithoutSub == PrincipalWithoutSubMode.Accept => $"{issuer}/",
        _ => null,
    };

    private static string Claim(ClaimPath path, ClaimSet? claims)
    {
        if (claims is null)
        {
            return "absent (no token)";
        }

        if (!path.TryGet(claims, out var value, out var isSplit))
        {
            return "absent (the token has no such claim)";
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            var text = SecretRedaction.HeaderValue("", value.GetString()!);
            return isSplit ? $"[{string.Join(", ", text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Quote))}]" : Quote(text);
        }

        var raw = SecretRedaction.HeaderValue("", value.GetRawText());
        return value.ValueKind == JsonValueKind.Array ? raw : $"{raw} (a {value.ValueKind}, which no value matches)";
    }

    private static string Header(string name, ReferenceRequest request, string path)
    {
        string[] lines = name.ToLowerInvariant() switch
        {
            ":method" => [request.Method],
            ":authority" => [request.Authority],
            ":scheme" => [request.Scheme],
            ":path" => [SecretRedaction.Target(request.Query is null ? path : $"{path}?{request.Query}")],
            _ => request.Header(name),
        };
        return lines.Length == 0 ? Absent : string.Join(", ", lines.Select(l => Quote(SecretRedaction.HeaderValue(name, l))));
    }

    private static string Address(IPAddress? address) => address?.ToString() ?? Absent;

    private static string Quote(string text) => $"\"{text}\"";

    private static string Shorten(string text) => text.Length <= MaxLength ? text : $"{text[..MaxLength]}…";
}
