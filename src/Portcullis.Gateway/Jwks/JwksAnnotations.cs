using Portcullis.Policy.Authentication;

namespace Portcullis.Gateway.Jwks;

/// <summary>
/// Annotations of a RequestAuthentication that say how the key servers of its rules are reached. They are texts, never paths of files: who may write a
/// policy may not thereby read what the gateway can read.
/// </summary>
public static class JwksAnnotations
{
    /// <summary>Certificate authorities in PEM, trusted besides the system's for these fetches.</summary>
    public const string Authorities = PolicyAnnotations.Prefix + "jwks-ca";

    /// <summary><c>http://host:port</c> of a proxy. It resolves the key server's name, so the target rule covers the proxy's own address and literal ones.</summary>
    public const string Proxy = PolicyAnnotations.Prefix + "jwks-proxy";

    /// <summary>Request headers, <c>Name: value</c> a line, sent to the origin of <c>jwksUri</c> (or of the issuer) and to no other.</summary>
    public const string Headers = PolicyAnnotations.Prefix + "jwks-headers";

    /// <summary>What is wrong with the value of one of these annotations; <see langword="null"/> for nothing. Reaches for no network and no file.</summary>
    public static string? FindProblem(string annotation, string value)
    {
        try
        {
            JwksRequestProfile.Read(new Dictionary<string, string> { [annotation] = value });
            return null;
        }
        catch (JwksFetchException wrong)
        {
            return wrong.Message;
        }
    }
}
