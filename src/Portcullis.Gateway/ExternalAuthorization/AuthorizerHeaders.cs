using System.Buffers;
using System.Text;
using Portcullis.Gateway.Forwarding;

namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>Which headers may pass between the gateway and an authorizer.</summary>
internal static class AuthorizerHeaders
{
    /// <summary>Tells the authorizer whether the body that it got is only the beginning; written by the gateway alone.</summary>
    public const string PartialBody = "x-envoy-auth-partial-body";

    /// <summary>Names, comma-separated, that an HTTP authorizer wants gone from the request that it allows.</summary>
    public const string HeadersToRemove = "x-envoy-auth-headers-to-remove";

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>
    /// What frames or routes a message, or belongs to one connection: no authorizer may change it, and no configuration may set it. Pseudo headers and
    /// <c>host</c> are among them, so that what was checked is what is forwarded.
    /// </summary>
    public static bool IsProtected(string name) =>
        name.Length == 0
        || name[0] == ':'
        || name.Equals("host", StringComparison.OrdinalIgnoreCase)
        || name.Equals("content-length", StringComparison.OrdinalIgnoreCase)
        || name.Equals("trailer", StringComparison.OrdinalIgnoreCase)
        || name.Equals("expect", StringComparison.OrdinalIgnoreCase)
        || name.Equals(PartialBody, StringComparison.OrdinalIgnoreCase)
        || name.Equals(HeadersToRemove, StringComparison.OrdinalIgnoreCase)
        || HopByHopHeaders.Contains(name);

    /// <summary>As <see cref="IsProtected"/>, for responses: the gateway's own name and clock stay, too.</summary>
    public static bool IsProtectedInResponse(string name) =>
        IsProtected(name) || name.Equals("server", StringComparison.OrdinalIgnoreCase) || name.Equals("date", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it is a token (RFC 9110 §5.1) and free of line breaks and other controls.</summary>
    public static bool IsValid(string name, string value) => name.Length > 0 && !name.AsSpan().ContainsAnyExcept(NameCharacters) && !HasControl(value);

    /// <summary>Bytes of a value as they came over the wire, one character each, as the text that they are; <see langword="null"/> when they are not UTF-8.</summary>
    public static string? TextOf(string bytes)
    {
        if (Ascii.IsValid(bytes))
        {
            return bytes;
        }

        try
        {
            return StrictUtf8.GetString(Encoding.Latin1.GetBytes(bytes));
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>Text as the bytes that go over the wire, one character each: how response headers are written.</summary>
    public static string BytesOf(string text) => Ascii.IsValid(text) ? text : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    private static bool HasControl(string value)
    {
        foreach (var c in value)
        {
            if ((c < ' ' && c != '\t') || c == '\x7f')
            {
                return true;
            }
        }

        return false;
    }
}
