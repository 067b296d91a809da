namespace Portcullis.Policy.Diagnosis;

/// <summary>What to do when a key server does not give keys.</summary>
public static class KeyServerExplanation
{
    /// <param name="place">What to call the key server.</param>
    /// <param name="reason">Why the last fetch failed, in the fetcher's words.</param>
    public static TokenFinding Explain(string place, string reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        return new($"no keys from {place}: {reason}", Remedy(reason));
    }

    /// <summary>What helps against one reason of the fetcher.</summary>
    public static string Remedy(string reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        return reason switch
        {
            _ when reason.Contains("no usable key", StringComparison.Ordinal) =>
                "the URL has to answer with a JSON object with a `keys` array that holds a public key: look at it with `curl -i URL`",
            _ when reason.Contains("discovery", StringComparison.Ordinal) =>
                "without `jwksUri` the issuer has to serve /.well-known/openid-configuration with a `jwks_uri`; or name the URL in `jwksUri`",
            _ when reason.Contains("certificate", StringComparison.OrdinalIgnoreCase) || reason.Contains("TLS", StringComparison.Ordinal) =>
                "if the key server has a private certificate authority, give it in the annotation portcullis.io/jwks-ca",
            _ when reason.Contains("HTTP", StringComparison.Ordinal) || reason.Contains("status", StringComparison.OrdinalIgnoreCase) =>
                "ask the URL from the gateway's machine: `curl -i URL`; if it wants credentials, give them in the annotation portcullis.io/jwks-headers",
            _ => "check that the URL is right and can be reached from where the gateway runs: `curl -i URL`; if only through a proxy, name it in the annotation portcullis.io/jwks-proxy",
        };
    }

    /// <summary>A URL as it may be shown: without user, query and fragment.</summary>
    internal static string WithoutSecrets(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var parsed) ? Wording.Quote(parsed.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped)) : Wording.Quote(url.Split('?')[0]);
}
