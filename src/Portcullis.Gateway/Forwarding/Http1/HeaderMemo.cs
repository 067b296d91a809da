using System.Text;
using Microsoft.Net.Http.Headers;

namespace Portcullis.Gateway.Forwarding.Http1;

/// <summary>
/// Turns names and values of response headers into strings. A backend says nearly the same in every response: what a connection has just seen is not made again. A fixed
/// number of places, each with what it last held.
/// </summary>
internal sealed class HeaderMemo
{
    private const int Places = 32;
    private const int LongestRemembered = 128;

    private static readonly string[] Known =
    [
        HeaderNames.AcceptRanges, HeaderNames.AccessControlAllowCredentials, HeaderNames.AccessControlAllowHeaders, HeaderNames.AccessControlAllowMethods,
        HeaderNames.AccessControlAllowOrigin, HeaderNames.AccessControlExposeHeaders, HeaderNames.Age, HeaderNames.Allow, HeaderNames.AltSvc, HeaderNames.CacheControl,
        HeaderNames.ContentDisposition, HeaderNames.ContentEncoding, HeaderNames.ContentLanguage, HeaderNames.ContentLength, HeaderNames.ContentLocation,
        HeaderNames.ContentRange, HeaderNames.ContentSecurityPolicy, HeaderNames.ContentType, HeaderNames.Date, HeaderNames.ETag, HeaderNames.Expires,
        HeaderNames.LastModified, HeaderNames.Location, HeaderNames.Pragma, HeaderNames.RetryAfter, HeaderNames.Server, HeaderNames.SetCookie,
        HeaderNames.StrictTransportSecurity, HeaderNames.Vary, HeaderNames.Via, HeaderNames.WWWAuthenticate, HeaderNames.XContentTypeOptions, HeaderNames.XFrameOptions,
        HeaderNames.GrpcStatus, HeaderNames.GrpcMessage,
    ];

    private readonly string?[] _names = new string?[Places];
    private readonly string?[] _values = new string?[Places];

    /// <summary>A header line: its name in the usual case when it is a common one, so that the string is everybody's.</summary>
    /// <param name="name">A token.</param>
    /// <param name="value">Bytes, each of which is a character (Latin-1).</param>
    public HeaderLine Line(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var place = Place(name);
        if (_names[place] is not { } text || !Ascii.EqualsIgnoreCase(name, text))
        {
            _values[place] = null;
            _names[place] = text = Find(name);
        }

        return new HeaderLine(text, Value(place, value));
    }

    private string Value(int place, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            return "";
        }

        if (_values[place] is { } last && Ascii.Equals(value, last))
        {
            return last;
        }

        var text = Encoding.Latin1.GetString(value);
        // A cookie is somebody's: it does not stay behind.
        if (value.Length <= LongestRemembered && !ReferenceEquals(_names[place], HeaderNames.SetCookie))
        {
            _values[place] = text;
        }

        return text;
    }

    private static int Place(ReadOnlySpan<byte> name) =>
        (name.Length + ((name[0] | 0x20) * 7) + ((name[^1] | 0x20) * 3) + ((name[name.Length / 2] | 0x20) * 5)) & (Places - 1);

    private static string Find(ReadOnlySpan<byte> name)
    {
        foreach (var known in Known)
        {
            if (known.Length == name.Length && Ascii.EqualsIgnoreCase(name, known))
            {
                return known;
            }
        }

        return Encoding.ASCII.GetString(name);
    }
}
