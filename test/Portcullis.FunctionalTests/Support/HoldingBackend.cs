using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portcullis.FunctionalTests.Support;

/// <summary>A backend that says when it has received a request and answers only when it is told to.</summary>
internal sealed class HoldingBackend : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TaskCompletionSource<string> _received = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public HoldingBackend()
    {
        _listener.Start();
        _ = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The head of the request, once it is here.</summary>
    public Task<string> Received => _received.Task.WaitAsync(PortcullisProcess.Patience);

    /// <summary>Sends the answer, a whole HTTP response.</summary>
    public void Answer(string response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") => _answer.TrySetResult(response);

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync()
    {
        using var client = await _listener.AcceptTcpClientAsync();
        var stream = client.GetStream();
        var buffer = new byte[16 * 1024];
        var length = 0;
        while (!Encoding.ASCII.GetString(buffer, 0, length).Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            length += await stream.ReadAsync(buffer.AsMemory(length));
        }

        _received.TrySetResult(Encoding.ASCII.GetString(buffer, 0, length));
        await stream.WriteAsync(Encoding.ASCII.GetBytes(await _answer.Task));
    }
}
