using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Forwarding.Http1;

/// <summary>One request and its response over one connection.</summary>
internal static class Http1Exchange
{
    /// <summary>Interim responses (1xx) that are skipped before one response.</summary>
    public const int MaxInterim = 16;

    /// <summary>What the exchange left behind.</summary>
    /// <param name="Outcome">How it ended.</param>
    /// <param name="CanReuse">The connection is at the exact end of a response and may serve another request.</param>
    /// <param name="IsUntouched">Not one byte of a response came.</param>
    public readonly record struct End(ForwardOutcome Outcome, bool CanReuse = false, bool IsUntouched = false);

    /// <summary>Sends a request without a body and passes the response on.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<End> RunAsync(Http1Connection connection, GatewayContext context)
    {
        try
        {
            await connection.SendAsync(connection.Outgoing.WrittenMemory);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The backend may have answered before it closed.
        }

        return await ReceiveAsync(connection, context);
    }

    /// <summary>Sends a request with a body while it receives the response, and passes that on.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<End> RunWithBodyAsync(Http1Connection connection, GatewayContext context, long? length)
    {
        using var stop = new CancellationTokenSource();
        var pumping = RequestBodyPump.RunAsync(connection, context.Http.Request.Body, length, stop.Token);
        if (pumping.IsCompleted)
        {
            return await ReceiveAfterAsync(await pumping, connection, context);
        }

        var pumpTask = WatchAsync(pumping, connection);
        PumpEnd pump;
        End end;
        try
        {
            end = await ReceiveAsync(connection, context);
        }
        finally
        {
            if (!pumpTask.IsCompleted)
            {
                // The response is complete, or will never be: the rest of the request is for nobody.
                await stop.CancelAsync();
                connection.Abort();
            }

            pump = await pumpTask;
        }

        if (pump == PumpEnd.ClientFailed && end.Outcome != ForwardOutcome.Completed)
        {
            return new(ForwardOutcome.ClientFailed);
        }

        return pump == PumpEnd.Sent ? end : end with { CanReuse = false };
    }

    private static async ValueTask<End> ReceiveAfterAsync(PumpEnd pump, Http1Connection connection, GatewayContext context)
    {
        if (pump == PumpEnd.ClientFailed)
        {
            return new(ForwardOutcome.ClientFailed);
        }

        var end = await ReceiveAsync(connection, context);
        return pump == PumpEnd.Sent ? end : end with { CanReuse = false };
    }

    /// <summary>When the client fails, there is no use in waiting for the response to half a request.</summary>
    private static async Task<PumpEnd> WatchAsync(ValueTask<PumpEnd> pumping, Http1Connection connection)
    {
        var end = PumpEnd.ClientFailed;
        try
        {
            return end = await pumping;
        }
        finally
        {
            // Also for a fault of ours: nobody else would end the wait.
            if (end == PumpEnd.ClientFailed)
            {
                connection.Abort();
            }
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<End> ReceiveAsync(Http1Connection connection, GatewayContext context)
    {
        var isUntouched = true;
        var isPassed = false;
        try
        {
            var parser = connection.Parser;
            parser.Reset();
            for (var interim = 0; ;)
            {
                var status = parser.Parse(connection.Buffered);
                if (status == ParseStatus.NeedsMore)
                {
                    var received = await connection.FillAsync();
                    if (received <= 0)
                    {
                        return new(received < 0 ? ForwardOutcome.ProtocolError : ForwardOutcome.ClosedBeforeResponse, IsUntouched: isUntouched);
                    }

                    isUntouched = false;
                    continue;
                }

                if (status != ParseStatus.Complete)
                {
                    return new(ForwardOutcome.ProtocolError);
                }

                if (parser.Status >= 200)
                {
                    break;
                }

                // A switch of protocols was not asked for. All other interim responses are for the gateway, which has none to pass on.
                if (parser.Status == StatusCodes.Status101SwitchingProtocols || ++interim > MaxInterim)
                {
                    return new(ForwardOutcome.ProtocolError);
                }

                connection.Consume(parser.HeadLength);
                parser.Reset();
            }

            var http = context.Http;
            var isHead = HttpMethods.IsHead(http.Request.Method);
            var framing = parser.Framing(isHead);
            var (grpcStatus, isRateLimited) = Look(connection);
            if (!context.Upstream.AcceptsHead(parser.Status, grpcStatus, isRateLimited))
            {
                var isWhole = framing == BodyFraming.None
                    ? connection.Buffered.Length == parser.HeadLength
                    : framing == BodyFraming.Length && connection.Buffered.Length - parser.HeadLength == parser.ContentLength;
                return new(ForwardOutcome.HeadRejected, isWhole && parser.KeepsAlive(isHead));
            }

            isPassed = true;
            UpstreamResponse.Note(context);
            PassHead(connection, context);
            UpstreamResponse.Complete(context);
            connection.Consume(parser.HeadLength);
            var end = framing switch
            {
                BodyFraming.None => RelayEnd.Complete,
                BodyFraming.Length => await ResponseRelay.LengthAsync(connection, context, parser.ContentLength),
                _ => await ResponseRelay.UnknownLengthAsync(connection, context, framing == BodyFraming.Chunked),
            };
            if (end != RelayEnd.Complete)
            {
                return new(end == RelayEnd.ClientFailed ? ForwardOutcome.ClientFailed : ForwardOutcome.BrokenResponse);
            }

            if (framing == BodyFraming.Chunked && connection.Decoder.TrailerLines > 0)
            {
                PassTrailers(connection, http.Response);
            }

            return new(ForwardOutcome.Completed, parser.KeepsAlive(isHead) && connection.Buffered.IsEmpty && !connection.IsFillPending);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return isPassed ? new(ForwardOutcome.BrokenResponse) : new(ForwardOutcome.ClosedBeforeResponse, IsUntouched: isUntouched);
        }
    }

    /// <summary>What a retry policy looks at.</summary>
    private static (string? GrpcStatus, bool IsRateLimited) Look(Http1Connection connection)
    {
        string? grpcStatus = null;
        var isRateLimited = false;
        var bytes = connection.Buffered;
        foreach (ref readonly var header in connection.Parser.Headers)
        {
            var name = bytes.Slice(header.Name, header.NameLength);
            if (header.NameLength == 11 && Http1ResponseParser.Is(name, "grpc-status"u8))
            {
                grpcStatus = connection.Memo.Line(name, bytes.Slice(header.Value, header.ValueLength)).Value;
            }
            else if (header.NameLength == 19 && Http1ResponseParser.Is(name, "x-envoy-ratelimited"u8))
            {
                isRateLimited = true;
            }
        }

        return (grpcStatus, isRateLimited);
    }

    private static void PassHead(Http1Connection connection, GatewayContext context)
    {
        var response = context.Http.Response;
        var parser = connection.Parser;
        var bytes = connection.Buffered;
        response.StatusCode = parser.Status;
        PassReason(context, bytes.Slice(parser.Reason.Start, parser.Reason.Length));
        var headers = response.Headers;
        foreach (ref readonly var header in parser.Headers)
        {
            if (header.IsOfConnection)
            {
                continue;
            }

            var line = connection.Memo.Line(bytes.Slice(header.Name, header.NameLength), bytes.Slice(header.Value, header.ValueLength));
            headers[line.Name] = headers.TryGetValue(line.Name, out var before) && before.Count > 0 ? StringValues.Concat(before, line.Value) : line.Value;
        }

        // Neither status may announce a body.
        if (parser.ContentLength >= 0 && parser.Status is not (StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent))
        {
            response.ContentLength = parser.ContentLength;
        }
    }

    private static void PassReason(GatewayContext context, ReadOnlySpan<byte> reason)
    {
        if (!reason.IsEmpty && !Ascii.Equals(reason, ReasonPhrases.GetReasonPhrase(context.Http.Response.StatusCode)))
        {
            context.Http.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = Encoding.Latin1.GetString(reason);
        }
    }

    /// <summary>To a client that takes trailers; those about framing and routing have no place in one (RFC 9110 §6.5.1).</summary>
    private static void PassTrailers(Http1Connection connection, HttpResponse response)
    {
        if (!response.SupportsTrailers())
        {
            return;
        }

        var lines = connection.Decoder.Trailers;
        while (!lines.IsEmpty)
        {
            var end = lines.IndexOf((byte)'\n');
            var line = lines[..end];
            lines = lines[(end + 1)..];
            if (Http1ResponseParser.TrySplit(line, out var nameLength, out var value))
            {
                var name = Encoding.ASCII.GetString(line[..nameLength]);
                if (!UpstreamRequestHead.IsDropped(name) && !name.Equals("content-length", StringComparison.OrdinalIgnoreCase)
                    && !name.Equals("trailer", StringComparison.OrdinalIgnoreCase))
                {
                    response.AppendTrailer(name, Encoding.Latin1.GetString(line[value]));
                }
            }
        }
    }
}
