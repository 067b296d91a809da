using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Forwarding.Http1;

/// <summary>How the body of a response came to its end.</summary>
internal enum RelayEnd
{
    /// <summary>All of it was passed on.</summary>
    Complete,

    /// <summary>The backend broke it off, or framed it wrongly.</summary>
    UpstreamFailed,

    /// <summary>The client takes no more.</summary>
    ClientFailed,
}

/// <summary>
/// Passes the body of a response on. What is here goes at once, in one write with what comes without waiting; nothing waits for more than that, so that events and streams are not delayed.
/// </summary>
internal static class ResponseRelay
{
    /// <summary>Most bytes that are collected, or received at once, before they are sent to the client.</summary>
    private const int Piece = 16 * 1024;

    /// <summary>Size of the blocks that the server pools.</summary>
    private const int ServerBlock = 4096;

    /// <summary>A body of known length.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<RelayEnd> LengthAsync(Http1Connection connection, GatewayContext context, long left)
    {
        var writer = context.Http.Response.BodyWriter;
        var received = -1;
        while (true)
        {
            while (received != 0 && connection.Buffered.Length < left && connection.TryFill(out received))
            {
                // What comes without waiting goes in one write.
            }

            var here = (int)Math.Min(connection.Buffered.Length, left);
            left -= here;
            context.CountSent(here);
            var flush = here > 0 ? await writer.WriteAsync(connection.BufferedMemory[..here]) : await writer.FlushAsync();
            connection.Consume(here);
            if (left == 0)
            {
                return flush.IsCompleted ? RelayEnd.ClientFailed : RelayEnd.Complete;
            }

            if (received == 0)
            {
                return RelayEnd.UpstreamFailed;
            }

            if (flush.IsCompleted)
            {
                return RelayEnd.ClientFailed;
            }

            if (!connection.IsFillPending)
            {
                return await StraightAsync(connection, context, writer, left);
            }

            received = await connection.FillAsync();
        }
    }

    /// <summary>A chunked body, or one that ends with the connection.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<RelayEnd> UnknownLengthAsync(Http1Connection connection, GatewayContext context, bool isChunked)
    {
        var writer = context.Http.Response.BodyWriter;
        var unflushed = 0;
        while (true)
        {
            var status = Take(connection, writer, isChunked, out var taken);
            unflushed += taken;
            context.CountSent(taken);
            if (status == ParseStatus.Complete)
            {
                // The server sends what is not flushed together with the end.
                return RelayEnd.Complete;
            }

            if (status != ParseStatus.NeedsMore)
            {
                return RelayEnd.UpstreamFailed;
            }

            var received = -1;
            if (unflushed < Piece && (connection.Buffered.Length > 0 || connection.TryFill(out received)))
            {
                if (received == 0)
                {
                    return await EndAsync(writer, isChunked);
                }

                continue;
            }

            var flush = await writer.FlushAsync();
            unflushed = 0;
            if (flush.IsCompleted)
            {
                return RelayEnd.ClientFailed;
            }

            if (connection.Buffered.Length == 0 && await connection.FillAsync() == 0)
            {
                return await EndAsync(writer, isChunked);
            }
        }
    }

    /// <summary>The backend has closed: the end of a body without length, and no end of a chunked one.</summary>
    private static async ValueTask<RelayEnd> EndAsync(PipeWriter writer, bool isChunked)
    {
        if (!isChunked)
        {
            return RelayEnd.Complete;
        }

        await writer.FlushAsync();
        return RelayEnd.UpstreamFailed;
    }

    /// <summary>Hands on what is buffered, up to one piece.</summary>
    private static ParseStatus Take(Http1Connection connection, PipeWriter writer, bool isChunked, out int taken)
    {
        taken = 0;
        if (!isChunked)
        {
            var all = connection.Buffered;
            taken = all.Length;
            Write(writer, all);
            connection.Consume(taken);
            return ParseStatus.NeedsMore;
        }

        ParseStatus status;
        do
        {
            status = connection.Decoder.Read(connection.Buffered, out var consumed, out var data);
            if (!data.IsEmpty)
            {
                Write(writer, data);
                taken += data.Length;
            }

            connection.Consume(consumed);
        }
        while (status == ParseStatus.NeedsMore && taken < Piece && connection.Buffered.Length > 0);
        return status;
    }

    /// <summary>The server gives no memory at all when it is not told how much is wanted.</summary>
    private static void Write(PipeWriter writer, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            var span = writer.GetSpan(Math.Min(data.Length, ServerBlock));
            var length = Math.Min(span.Length, data.Length);
            data[..length].CopyTo(span);
            writer.Advance(length);
            data = data[length..];
        }
    }

    /// <summary>The rest of a body of known length, from the socket straight into the memory that goes to the client.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<RelayEnd> StraightAsync(Http1Connection connection, GatewayContext context, PipeWriter writer, long left)
    {
        while (left > 0)
        {
            var wanted = (int)Math.Min(left, Piece);
            var memory = writer.GetMemory(wanted)[..wanted];
            var received = await connection.ReceiveAsync(memory);
            if (received == 0)
            {
                return RelayEnd.UpstreamFailed;
            }

            writer.Advance(received);
            left -= received;
            context.CountSent(received);
            if ((await writer.FlushAsync()).IsCompleted)
            {
                return RelayEnd.ClientFailed;
            }
        }

        return RelayEnd.Complete;
    }
}
