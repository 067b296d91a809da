using Portcullis.Policy.Explanation;

namespace Portcullis.Gateway.Pipeline;

/// <summary>The <c>www-authenticate</c> value of a refused token (authentication.md §13, RFC 6750 §3).</summary>
internal static class Challenge
{
    /// <summary>Envoy cuts the path in the realm to this many bytes.</summary>
    private const int MaxPathLength = 256;

    /// <param name="context">The request; the realm is its URI, without a query in which a token stands.</param>
    /// <param name="withError">Adds <c>error="invalid_token"</c>; absent only when a required token is missing.</param>
    public static string Create(GatewayContext context, bool withError)
    {
        var path = context.Query is { } query && !SecretRedaction.MayCarryToken(query) ? $"{context.Path}?{query}" : context.Path;
        path = path.Length > MaxPathLength ? path[..MaxPathLength] : path;
        var realm = $"{context.Scheme}://{context.Authority}{path}";
        // A quote or backslash in the path would end the quoted-string early (RFC 9110 §5.6.4).
        if (realm.AsSpan().ContainsAny('"', '\\'))
        {
            realm = realm.Replace("\\", "%5C", StringComparison.Ordinal).Replace("\"", "%22", StringComparison.Ordinal);
        }

        return withError ? $"Bearer realm=\"{realm}\", error=\"invalid_token\"" : $"Bearer realm=\"{realm}\"";
    }
}
