using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Portcullis.FunctionalTests.Support;

/// <summary>A TLS connection to a gateway in this process, on which requests are written byte for byte.</summary>
internal sealed class TlsClient : IAsyncDisposable
{
    private readonly TcpClient _client;

    private TlsClient(TcpClient client, SslStream stream) => (_client, Stream) = (client, stream);

    public SslStream Stream { get; }

    /// <summary>Shakes hands. The server's certificate is taken as it is.</summary>
    public static async Task<TlsClient> ConnectAsync(
        int port, string serverName, X509Certificate2? certificate = null, SslProtocols protocols = SslProtocols.None, params SslApplicationProtocol[] alpn)
    {
        using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
        var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port, patience.Token);
            var stream = new SslStream(client.GetStream());
            await stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = serverName,
                    EnabledSslProtocols = protocols,
                    ClientCertificateContext = certificate is null ? null : SslStreamCertificateContext.Create(certificate, null, offline: true),
#pragma warning disable CA5359 // tests look at the certificate themselves
                    RemoteCertificateValidationCallback = static (_, _, _, _) => true,
#pragma warning restore CA5359
                    ApplicationProtocols = [.. alpn],
                },
                patience.Token);
            return new TlsClient(client, stream);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Connects, and sends one request.</summary>
    public static async Task<RawResponse> GetAsync(int port, string serverName, string host, X509Certificate2? certificate = null, params string[] headerLines)
    {
        await using var client = await ConnectAsync(port, serverName, certificate);
        return await client.GetAsync(host, isLast: true, headerLines);
    }

    /// <summary>Whether a handshake, or the first request behind it, fails: in TLS 1.3 a client learns of a refused certificate only then.</summary>
    public static async Task<bool> IsRefusedAsync(int port, string serverName, X509Certificate2? certificate = null, SslProtocols protocols = SslProtocols.None)
    {
        try
        {
            await using var client = await ConnectAsync(port, serverName, certificate, protocols);
            await client.Stream.WriteAsync(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: {serverName}\r\n\r\n"));
            return await client.Stream.ReadAsync(new byte[1]) == 0;
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            return true;
        }
    }

    /// <summary>Sends a request and reads its answer.</summary>
    public async Task<RawResponse> GetAsync(string host, bool isLast = false, params string[] headerLines)
    {
        using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
        var lines = string.Concat(headerLines.Select(h => h + "\r\n"));
        var close = isLast ? "Connection: close\r\n" : "";
        await Stream.WriteAsync(Encoding.Latin1.GetBytes($"GET / HTTP/1.1\r\nHost: {host}\r\n{lines}{close}\r\n"), patience.Token);
        var received = new byte[64 * 1024];
        var length = 0;
        while (true)
        {
            var read = await Stream.ReadAsync(received.AsMemory(length), patience.Token);
            length += read;
            if (read == 0 || RawHttp.IsComplete(received.AsSpan(0, length)))
            {
                return RawHttp.Parse(Encoding.Latin1.GetString(received, 0, length), isHead: false);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Stream.DisposeAsync();
        _client.Dispose();
    }
}
