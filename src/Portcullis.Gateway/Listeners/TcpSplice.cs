using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Portcullis.Gateway.Listeners;

/// <summary>Copies bytes both ways until both sides have ended, one has failed, or nothing has come for the idle time.</summary>
/// <param name="client">Its connection.</param>
/// <param name="backend">Its socket.</param>
/// <param name="secured">TLS over that socket; <see langword="null"/> in clear.</param>
/// <param name="idleTimeout">Without a byte in either direction.</param>
/// <param name="time">The clock.</param>
internal sealed class TcpSplice(ConnectionContext client, Socket backend, SslStream? secured, TimeSpan idleTimeout, TimeProvider time)
{
    private const int BufferSize = 16 * 1024;

    // In clear the client's socket is written to directly: the server's pipe cannot end one direction without the other.
    private readonly Socket? _clientSocket = client.Features.Get<ITlsConnectionFeature>() is null ? client.Features.Get<IConnectionSocketFeature>()?.Socket : null;
    private long _lastActivity = time.GetTimestamp();
    private long _received;
    private long _sent;
    private bool _isDelivered;

    /// <summary>Bytes from the client.</summary>
    public long Received => Volatile.Read(ref _received);

    /// <summary>Bytes to the client.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Runs to the end. Never throws for what the network does.</summary>
    public async Task RunAsync()
    {
        await using var watch = time.CreateTimer(static state => ((TcpSplice)state!).CloseIfIdle(), this, idleTimeout / 4, idleTimeout / 4);
        var upload = GuardAsync(UploadAsync);
        var download = GuardAsync(DownloadAsync);
        await Task.WhenAll(upload, download);
    }

    private async Task UploadAsync()
    {
        var input = client.Transport.Input;
        while (true)
        {
            var read = await input.ReadAsync();
            foreach (var segment in read.Buffer)
            {
                await (secured?.WriteAsync(segment) ?? SendAsync(backend, segment));
            }

            Count(ref _received, read.Buffer.Length);
            input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted || read.IsCanceled)
            {
                if (secured is not null)
                {
                    await secured.ShutdownAsync();
                }

                backend.Shutdown(SocketShutdown.Send);
                return;
            }
        }
    }

    private async Task DownloadAsync()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (await ReceiveAsync(buffer.AsMemory(0, BufferSize)) is var count and > 0)
            {
                if (_clientSocket is not null)
                {
                    await SendAsync(_clientSocket, buffer.AsMemory(0, count));
                }
                else if ((await client.Transport.Output.WriteAsync(buffer.AsMemory(0, count))).IsCompleted)
                {
                    throw new IOException("the client is gone");
                }

                Count(ref _sent, count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }

        Volatile.Write(ref _isDelivered, true);
        if (_clientSocket is not null)
        {
            _clientSocket.Shutdown(SocketShutdown.Send);
        }
        else
        {
            await client.Transport.Output.CompleteAsync();
            client.Transport.Input.CancelPendingRead(); // TLS has no half-closed state that clients rely on
        }
    }

    private ValueTask<int> ReceiveAsync(Memory<byte> buffer) => secured?.ReadAsync(buffer) ?? backend.ReceiveAsync(buffer);

    private static async ValueTask SendAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes)..];
        }
    }

    /// <summary>When one direction fails, the other has nothing to wait for; what the client is already sent in full must still reach it.</summary>
    private async Task GuardAsync(Func<Task> copy)
    {
        try
        {
            await copy();
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
            if (Volatile.Read(ref _isDelivered))
            {
                backend.Dispose();
            }
            else
            {
                Close();
            }
        }
    }

    private void Count(ref long counter, long bytes)
    {
        Interlocked.Add(ref counter, bytes);
        Volatile.Write(ref _lastActivity, time.GetTimestamp());
    }

    private void CloseIfIdle()
    {
        if (time.GetElapsedTime(Volatile.Read(ref _lastActivity)) >= idleTimeout)
        {
            Close();
        }
    }

    private void Close()
    {
        backend.Dispose();
        client.Abort(new ConnectionAbortedException("the forwarded connection has ended"));
    }
}
