using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Portcullis.FunctionalTests.Support;

/// <summary>
/// A backend that is not HTTP: it reads until the client ends its direction, then sends back <c>echo:</c> and what it got, and closes. With a certificate
/// it speaks TLS itself.
/// </summary>
internal sealed class StreamBackend : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2? _certificate;
    private int _connections;

    public StreamBackend(X509Certificate2? certificate = null)
    {
        _certificate = certificate;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Connections => Volatile.Read(ref _connections);

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                Interlocked.Increment(ref _connections);
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            Stream stream = client.GetStream();
            try
            {
                if (_certificate is not null)
                {
                    var secured = new SslStream(stream);
                    await secured.AuthenticateAsServerAsync(_certificate);
                    stream = secured;
                    var line = new byte[1024];
                    var length = await stream.ReadAsync(line);
                    await stream.WriteAsync("echo:"u8.ToArray());
                    await stream.WriteAsync(line.AsMemory(0, length));
                    await secured.ShutdownAsync();
                    return;
                }

                using var received = new MemoryStream();
                await stream.CopyToAsync(received);
                await stream.WriteAsync("echo:"u8.ToArray());
                await stream.WriteAsync(received.ToArray());
            }
            catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
            {
                // The gateway has closed the connection.
            }
        }
    }
}
