using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Forwarding.Http1;

/// <summary>
/// Forwards over HTTP/1.1 in clear, on sockets of its own: the request's head is written from its parsed form into one buffer, the response's head is parsed where it was received, and bodies
/// go from socket to socket.
/// </summary>
internal sealed class Http1Forwarder(TimeProvider time) : Forwarder, IDisposable
{
    private readonly Http1Pools _pools = new(time);

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ForwardResult> ForwardAsync(GatewayContext context, CancellationToken cancellationToken)
    {
        UpstreamRequestHead.Fill(context);
        var pool = _pools.Of(context.Upstream.Cluster!.Profile, context.Endpoint!);
        context.UpstreamStartTimestamp = Stopwatch.GetTimestamp();
        var connection = pool.Take();
        if (connection is not null)
        {
            var end = await RunAsync(connection, pool, context, cancellationToken);
            if (!end.IsUntouched || !MayResend(context, cancellationToken))
            {
                return new(end.Outcome);
            }
        }

        // Nothing idle, or the backend closed an idle connection just as the request was on its way: it has not answered a word, and may be asked again.
        var (made, failure) = await ConnectAsync(pool, context, cancellationToken);
        return made is null ? failure : new((await RunAsync(made, pool, context, cancellationToken)).Outcome);
    }

    public void Dispose() => _pools.Dispose();

    /// <summary>
    /// A request that does nothing, or nothing more when it is done twice, and whose body nobody has read (RFC 9110 §9.2.2). All others are for the route's retry policy.
    /// </summary>
    private static bool MayResend(GatewayContext context, CancellationToken cancellationToken)
    {
        var request = context.Http.Request;
        return !HasBody(context) && !cancellationToken.IsCancellationRequested && !context.Http.RequestAborted.IsCancellationRequested
            && (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method)
                || HttpMethods.IsPut(request.Method) || HttpMethods.IsDelete(request.Method) || HttpMethods.IsTrace(request.Method));
    }

    private static bool HasBody(GatewayContext context) =>
        context.Http.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true && context.Http.Request.ContentLength != 0;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<Http1Exchange.End> RunAsync(Http1Connection connection, Http1Pool pool, GatewayContext context, CancellationToken cancellationToken)
    {
        if (context.Snapshot.AccessLog is not null)
        {
            context.UpstreamLocalAddress = connection.LocalEndPoint;
        }

        var http = context.Http;
        var length = http.Request.ContentLength;
        var hasBody = HasBody(context);
        var end = new Http1Exchange.End(ForwardOutcome.ClosedBeforeResponse);
        var isReturned = false;
        var byTimeout = cancellationToken.UnsafeRegister(static state => ((Http1Connection)state!).Abort(), connection);
        var byClient = http.RequestAborted.UnsafeRegister(static state => ((Http1Connection)state!).Abort(), connection);
        try
        {
            if (!Http1RequestWriter.TryWrite(
                connection.Outgoing, http.Request.Method, context.UpstreamTarget, context.UpstreamAuthority, context.UpstreamHeaders.Lines, length, hasBody && length is null, pool.IsLast(connection)))
            {
                throw new InvalidOperationException("the request cannot be written as HTTP/1.1: a header holds a line break, or the head is too long");
            }

            end = hasBody ? await Http1Exchange.RunWithBodyAsync(connection, context, length) : await Http1Exchange.RunAsync(connection, context);
        }
        finally
        {
            // Waits for a callback that is running: no connection is closed for a request that it has left behind.
            byTimeout.Dispose();
            byClient.Dispose();
            if (end.CanReuse && !connection.IsAborted)
            {
                isReturned = true;
                pool.Return(connection);
            }

            if (!isReturned)
            {
                connection.Close();
            }
        }

        return end.Outcome is ForwardOutcome.Completed or ForwardOutcome.HeadRejected ? end : Explain(end, http, cancellationToken);
    }

    /// <summary>Who ended it, when it did not end by itself.</summary>
    private static Http1Exchange.End Explain(in Http1Exchange.End end, HttpContext http, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return end.Outcome == ForwardOutcome.BrokenResponse ? end : end with { Outcome = ForwardOutcome.Canceled };
        }

        return http.RequestAborted.IsCancellationRequested ? end with { Outcome = ForwardOutcome.ClientFailed } : end;
    }

    private static async ValueTask<(Http1Connection? Connection, ForwardResult Failure)> ConnectAsync(Http1Pool pool, GatewayContext context, CancellationToken cancellationToken)
    {
        var client = context.Http.RequestAborted;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, client);
        limit.CancelAfter(pool.Profile.Limits.ConnectTimeout);
        var socket = new Socket(pool.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        UpstreamConnector.KeepAlive(socket, pool.Profile.Limits);
        try
        {
            await socket.ConnectAsync(pool.Address, limit.Token);
            var connection = pool.Open(socket);
            return connection.TryBegin() ? (connection, default) : (null, new(ForwardOutcome.ClosedBeforeResponse));
        }
        catch (OperationCanceledException)
        {
            socket.Dispose();
            return (null, new(
                cancellationToken.IsCancellationRequested ? ForwardOutcome.Canceled
                : client.IsCancellationRequested ? ForwardOutcome.ClientFailed
                : ForwardOutcome.ConnectTimeout));
        }
        catch (SocketException e)
        {
            socket.Dispose();
            return (null, new(ForwardOutcome.ConnectFailed, ConnectFailure.ReasonOf(e)));
        }
    }
}
