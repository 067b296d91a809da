using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Portcullis.Gateway.Jwks;

/// <summary>
/// The system's name resolution on threads of its own, a bounded number of them: it blocks, and on the shared pool a name server that hangs would take
/// threads from requests.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "lookups release the semaphore long after their users; it holds no handle")]
internal sealed class HostResolver
{
    private const int Threads = 16;
    private readonly SemaphoreSlim _free = new(Threads);

    public async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken).ConfigureAwait(false);

        // The place is free when the lookup ends, which may be long after the caller has given up.
        var lookup = Task.Factory.StartNew(
            () =>
            {
                try
                {
                    return Dns.GetHostAddresses(host);
                }
                finally
                {
                    _free.Release();
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
            TaskScheduler.Default);
        return await lookup.WaitAsync(cancellationToken).ConfigureAwait(false);
    }
}
