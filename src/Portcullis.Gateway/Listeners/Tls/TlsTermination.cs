using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Listeners.Tls;

/// <summary>
/// Shakes hands with the certificate of the server that was chosen by name, and hands on what is inside. The HTTP server's own middleware would want its
/// container of services, and a callback where the server is known already.
/// </summary>
internal static class TlsTermination
{
    /// <summary>Serves the connection to its end.</summary>
    /// <param name="connection">Begins with the ClientHello; <see cref="DownstreamConnection"/> says who serves it.</param>
    /// <param name="next">Serves what is inside. Not called when the handshake fails.</param>
    /// <param name="time">For the handshake's limit, and revocation lists.</param>
    public static async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next, TimeProvider time)
    {
        var downstream = connection.Features.GetRequiredFeature<DownstreamConnection>();
        var outer = connection.Transport;
        var transport = new DuplexPipeStream(outer) { GoesOnOnPool = true };
        await using var stream = new SslStream(transport, leaveInnerStreamOpen: true);
        try
        {
            using var timeout = new CancellationTokenSource(ListenerTimeouts.Filters, time);
            if (!Thread.CurrentThread.IsThreadPoolThread)
            {
                await new PoolThread();
            }

            await stream.AuthenticateAsServerAsync(downstream.Server!.Options(downstream.Hello!.Value, downstream, time), timeout.Token);
        }
        catch (Exception e) when (e is AuthenticationException or IOException or OperationCanceledException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return;
        }

        transport.GoesOnOnPool = false;
        downstream.IsSecured = true;
        var feature = new TlsFeature(stream);
        connection.Features.Set<ITlsConnectionFeature>(feature);
        connection.Features.Set<ITlsApplicationProtocolFeature>(feature);
        connection.Features.Set<ITlsHandshakeFeature>(feature);
        var pool = connection.Features.Get<IMemoryPoolFeature>()?.MemoryPool;
        var inner = new Pipes(
            PipeReader.Create(stream, new StreamPipeReaderOptions(pool, leaveOpen: true, useZeroByteReads: true)),
            PipeWriter.Create(stream, new StreamPipeWriterOptions(pool, leaveOpen: true)));
        connection.Transport = inner;
        try
        {
            await next(connection);
        }
        finally
        {
            await CompleteAsync(inner);
            connection.Transport = outer;
        }
    }

    private static async ValueTask CompleteAsync(Pipes pipes)
    {
        try
        {
            await pipes.Input.CompleteAsync();
            await pipes.Output.CompleteAsync();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            // The client went away with the last bytes unsent.
        }
    }

    private sealed record Pipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
