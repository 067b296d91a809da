using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portcullis.FunctionalTests.ExternalAuthorization;

/// <summary>A server that misbehaves: it reads the head of a request, sends what it was told to, and closes, or says nothing at all.</summary>
internal sealed class RawServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="answer">Bytes, one a character; <see langword="null"/> never answers.</param>
    public RawServer(string? answer)
    {
        _listener.Start();
        _ = AcceptAsync(answer);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Dispose()
    {
        _over.TrySetResult();
        _listener.Dispose();
    }

    private async Task AcceptAsync(string? answer)
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(), answer);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client, string? answer)
    {
        using (client)
        {
            try
            {
                _ = await client.GetStream().ReadAsync(new byte[64 * 1024]);
                if (answer is null)
                {
                    await _over.Task;
                    return;
                }

                await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(answer));
            }
            catch (IOException)
            {
                // The gateway has had enough.
            }
        }
    }
}
