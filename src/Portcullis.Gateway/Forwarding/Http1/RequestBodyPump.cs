using System.Globalization;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;

namespace Portcullis.Gateway.Forwarding.Http1;

/// <summary>How a request body came to its end.</summary>
internal enum PumpEnd
{
    /// <summary>All of it was sent.</summary>
    Sent,

    /// <summary>It was told to stop.</summary>
    Stopped,

    /// <summary>The client left, or sent what is no body.</summary>
    ClientFailed,

    /// <summary>The backend takes no more.</summary>
    UpstreamFailed,
}

/// <summary>Sends the head and then the body of a request, in as few pieces as they come in. A head waits for no body, a body for no more of itself.</summary>
internal static class RequestBodyPump
{
    private const int Piece = 16 * 1024;

    /// <summary>Bytes, sent or not, behind which the buffer begins anew: a body that comes in small pieces never empties it otherwise.</summary>
    private const int Round = 4 * Piece;

    private const int ChunkStart = 6; // four digits and a line end
    private const int ChunkEnd = 2;
    private const int LastChunk = 5;

    /// <summary>Sends until the body ends.</summary>
    /// <param name="connection">Its outgoing buffer holds the head.</param>
    /// <param name="body">The client's.</param>
    /// <param name="length">Announced length; <see langword="null"/> when the body goes in chunks.</param>
    /// <param name="stop">Ends it; also when the backend wants no more.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<PumpEnd> RunAsync(Http1Connection connection, Stream body, long? length, CancellationToken stop)
    {
        var isChunked = length is null;
        var left = length ?? 0;
        var outgoing = connection.Outgoing;
        var sent = 0;
        while (true)
        {
            if (outgoing.Length - sent > Piece || (outgoing.Length > Round && outgoing.Length > sent))
            {
                if (!await TrySendAsync(connection, sent))
                {
                    return PumpEnd.UpstreamFailed;
                }

                sent = outgoing.Length;
            }

            if (sent == outgoing.Length)
            {
                outgoing.Clear();
                sent = 0;
            }

            // The limit of the buffer is far above what is in it here.
            outgoing.TryReserve(Piece + ChunkStart + ChunkEnd + LastChunk);
            int read;
            var takes = true;
            try
            {
                var reading = body.ReadAsync(outgoing.TailMemory.Slice(isChunked ? ChunkStart : 0, Piece), stop);
                if (!reading.IsCompleted && outgoing.Length > sent)
                {
                    takes = await TrySendAsync(connection, sent);
                    sent = outgoing.Length;
                }

                read = await reading;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return PumpEnd.Stopped;
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or BadHttpRequestException or ObjectDisposedException)
            {
                return PumpEnd.ClientFailed;
            }

            if (!takes)
            {
                return PumpEnd.UpstreamFailed;
            }

            if (read == 0)
            {
                break;
            }

            if (!isChunked && read > left)
            {
                return PumpEnd.ClientFailed;
            }

            left -= read;
            Frame(outgoing, read, isChunked);
        }

        if (isChunked)
        {
            outgoing.Write("0\r\n\r\n"u8);
        }
        else if (left > 0)
        {
            return PumpEnd.ClientFailed;
        }

        return outgoing.Length == sent || await TrySendAsync(connection, sent) ? PumpEnd.Sent : PumpEnd.UpstreamFailed;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<bool> TrySendAsync(Http1Connection connection, int from)
    {
        try
        {
            await connection.SendAsync(connection.Outgoing.WrittenMemory[from..]);
            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    private static void Frame(HeadBuffer outgoing, int read, bool isChunked)
    {
        if (!isChunked)
        {
            outgoing.Advance(read);
            return;
        }

        var tail = outgoing.Tail;
        read.TryFormat(tail, out _, "X4", CultureInfo.InvariantCulture);
        "\r\n"u8.CopyTo(tail[4..]);
        "\r\n"u8.CopyTo(tail[(ChunkStart + read)..]);
        outgoing.Advance(ChunkStart + read + ChunkEnd);
    }
}
