using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Portcullis.Gateway.Pipeline;
using Portcullis.Resources;

namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>The beginning of a request's body, as much as a check may carry.</summary>
/// <param name="Bytes">At most <c>maxRequestBytes</c>.</param>
/// <param name="IsPartial">More follows.</param>
internal sealed record CheckBody(ReadOnlyMemory<byte> Bytes, bool IsPartial)
{
    private const int FirstBuffer = 16 * 1024;

    /// <summary>Whether the request can have a body; an upgrade has none before it is answered.</summary>
    public static bool IsExpected(HttpContext http) => http.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true;

    /// <summary>
    /// Reads the beginning, and puts it back in front of the rest, so that the backend gets all of it. Waits for the client as long as that sends.
    /// </summary>
    /// <returns><see langword="null"/> when the body is larger than the limit and may not be sent in part.</returns>
    public static async ValueTask<CheckBody?> ReadAsync(GatewayContext context, CheckRequestBody settings)
    {
        var request = context.Http.Request;
        var max = Math.Min(settings.MaxRequestBytes, Array.MaxLength - 1);
        var isTooLarge = request.ContentLength > max;
        if (isTooLarge && !settings.AllowPartialMessage)
        {
            return null;
        }

        // One byte more than the limit tells whether a body without a declared length ends there.
        var wanted = isTooLarge ? max : max + 1;
        var buffer = new byte[Math.Min(FirstBuffer, wanted)];
        var length = 0;
        var rest = request.Body;
        while (length < wanted)
        {
            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, (int)Math.Min((long)buffer.Length * 2, wanted));
            }

            var read = await rest.ReadAsync(buffer.AsMemory(length), context.Http.RequestAborted);
            if (read == 0)
            {
                break;
            }

            length += read;
        }

        request.Body = new ReplayStream(buffer.AsMemory(0, length), rest);
        isTooLarge |= length > max;
        return isTooLarge && !settings.AllowPartialMessage ? null : new CheckBody(buffer.AsMemory(0, Math.Min(length, max)), isTooLarge);
    }
}
