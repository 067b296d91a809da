using System.Text.RegularExpressions;

namespace Portcullis.Policy.Explanation;

/// <summary>Keeps credentials out of everything that is written down: no log holds a whole token.</summary>
public static partial class SecretRedaction
{
    /// <summary>Stands where a credential stood.</summary>
    public const string Replacement = "<redacted>";

    /// <summary>No JWS is shorter: a header with an algorithm, a payload and a signature.</summary>
    private const int MinimumJwsLength = 40;

    /// <summary>Whether a query should not be repeated to anyone: it has a parameter for tokens, or a value in the form of a compact JWS.</summary>
    public static bool MayCarryToken(string query) => query.Contains("access_token", StringComparison.Ordinal) || CompactJws.IsIn(query);

    /// <summary>A request target whose <c>access_token</c> and whatever looks like a compact JWS are replaced.</summary>
    public static string Target(string target) =>
        CompactJws.Replace(
            target.Contains("access_token=", StringComparison.Ordinal) ? AccessToken().Replace(target, "access_token=" + Replacement) : target, Replacement);

    /// <summary>A header value without credentials.</summary>
    public static string HeaderValue(string name, string value) => name.ToUpperInvariant() switch
    {
        "AUTHORIZATION" or "PROXY-AUTHORIZATION" or "COOKIE" or "SET-COOKIE" => Replacement,
        _ => value.Length > MinimumJwsLength ? CompactJws.Replace(value, Replacement) : value,
    };

    [GeneratedRegex(@"access_token=[^&#\s]*", RegexOptions.CultureInvariant)]
    private static partial Regex AccessToken();
}
