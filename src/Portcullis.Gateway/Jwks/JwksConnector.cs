using System.Net;
using System.Net.Sockets;

namespace Portcullis.Gateway.Jwks;

/// <summary>Opens the connections of key fetches: resolves the name, drops the addresses that the rule refuses, connects to the first that answers.</summary>
internal sealed class JwksConnector(JwksTargetRule rule, Func<string, CancellationToken, Task<IPAddress[]>> resolve, TimeProvider timeProvider)
{
    /// <summary>An address that does not answer leaves time for the next one.</summary>
    private static readonly TimeSpan PerAddress = TimeSpan.FromSeconds(1.5);

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = Array.FindAll(await AddressesAsync(host, cancellationToken).ConfigureAwait(false), rule.Allows);
        if (addresses.Length == 0)
        {
            throw new JwksFetchException($"`{host}` has only addresses that key fetches may not use (link-local, cloud metadata or blocked)");
        }

        for (var i = 0; ; i++)
        {
            var isLast = i == addresses.Length - 1;
            using var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            using var limit = new CancellationTokenSource(isLast ? Timeout.InfiniteTimeSpan : PerAddress, timeProvider);
            using var link = limit.Token.Register(attempt.Cancel);
            try
            {
                return await ConnectAsync(new IPEndPoint(addresses[i], port), attempt.Token).ConfigureAwait(false);
            }
            catch (Exception failure) when (!isLast && !cancellationToken.IsCancellationRequested && failure is SocketException or OperationCanceledException)
            {
                // the next address may answer
            }
        }
    }

    private async Task<IPAddress[]> AddressesAsync(string host, CancellationToken cancellationToken) =>
        IPAddress.TryParse(host, out var literal) ? [literal] : await resolve(host, cancellationToken).ConfigureAwait(false);

    private static async Task<Stream> ConnectAsync(IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
