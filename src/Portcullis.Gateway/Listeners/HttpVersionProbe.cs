using System.Buffers;
using System.IO.Pipelines;

namespace Portcullis.Gateway.Listeners;

/// <summary>
/// Tells HTTP/2 with prior knowledge from HTTP/1 on a port in clear by the connection preface (RFC 9113 §3.4), consuming nothing.
/// </summary>
internal static class HttpVersionProbe
{
    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Waits for as many bytes as it takes.</summary>
    /// <param name="input">What the client sends.</param>
    /// <param name="begun">Called once, when the first bytes are there and do not suffice.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether it is HTTP/2; <see langword="null"/> when the client closed before anything could be told.</returns>
    public static async ValueTask<bool?> IsHttp2Async(PipeReader input, Action begun, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            var matched = Matched(read.Buffer);
            if (matched < 0 || matched == Preface.Length)
            {
                input.AdvanceTo(read.Buffer.Start); // not examined: the server reads it again
                return matched > 0;
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted || read.IsCanceled)
            {
                return null;
            }

            if (matched > 0)
            {
                begun();
            }
        }
    }

    /// <summary>Bytes that agree with the preface; -1 when one does not.</summary>
    private static int Matched(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> copy = stackalloc byte[32];
        var start = buffer.Slice(0, Math.Min(buffer.Length, Preface.Length));
        start.CopyTo(copy);
        var length = (int)start.Length;
        return copy[..length].SequenceEqual(Preface[..length]) ? length : -1;
    }
}
