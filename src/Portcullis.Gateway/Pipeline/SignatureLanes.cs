using System.Net;
using System.Net.Sockets;
using Portcullis.Policy.Authentication;

namespace Portcullis.Gateway.Pipeline;

/// <summary>
/// Where a signature is verified that nothing is remembered of. On the thread at hand, as long as that is one of the pool, or a thread that polls sockets and has spent
/// little on signatures; else on the pool, so that other connections are not held up. An address that sends bad signatures by the hundred waits for a narrow lane of its
/// kind, and for a place in a queue that ends: its flood costs a part of one processor, and good tokens that are remembered never notice.
/// </summary>
internal sealed class SignatureLanes(TimeProvider time) : IDisposable
{
    /// <summary>Requests that wait for the narrow lane; more are answered 429.</summary>
    public const int MaxWaiting = 256;

    /// <summary>Bad signatures beyond which an address is suspect; some are forgiven every second.</summary>
    public const int Tolerated = 100;

    private const int Forgiven = 20;
    private const int Places = 4096;
    private const double PollingShare = 0.1;

    private const int CreditFraction = 500; // 2 ms
    private const int SuspectSeconds = 5;

    [ThreadStatic]
    private static long _credit;

    [ThreadStatic]
    private static long _credited;

    private readonly SemaphoreSlim _narrow = new(Math.Max(1, Environment.ProcessorCount / 4));
    private readonly Lock _gate = new();
    private readonly long[] _suspectUntil = new long[Places];
    private readonly (double Level, long At)[] _bad = new (double, long)[Places];
    private long _anySuspectUntil;
    private int _waiting;

    /// <summary>Whether the thread at hand may verify for this client.</summary>
    /// <param name="client">Its address.</param>
    /// <param name="now">Timestamp.</param>
    public SignatureChecks Choose(IPAddress? client, long now)
    {
        if (IsSuspect(client, now))
        {
            return SignatureChecks.RememberedOnly;
        }

        if (Thread.CurrentThread.IsThreadPoolThread)
        {
            return SignatureChecks.Verify;
        }

        _credit = Math.Min(time.TimestampFrequency / CreditFraction, _credit + (long)((now - _credited) * PollingShare));
        _credited = now;
        return _credit > 0 ? SignatureChecks.Verify : SignatureChecks.RememberedOnly;
    }

    /// <summary>Charges the thread at hand with what authenticating took.</summary>
    /// <param name="since">Timestamp of its begin.</param>
    public void Charge(long since) => _credit -= time.GetTimestamp() - since;

    /// <summary>Goes to a thread on which the client's signature may be verified.</summary>
    /// <returns>Where, and then <see cref="Leave"/> follows; <see cref="Lane.None"/> when too many wait.</returns>
    public async ValueTask<Lane> EnterAsync(IPAddress? client, CancellationToken cancellationToken)
    {
        if (!IsSuspect(client, time.GetTimestamp()))
        {
            await new PoolThread();
            return Lane.Wide;
        }

        if (Interlocked.Increment(ref _waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            return Lane.None;
        }

        try
        {
            await _narrow.WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        if (!Thread.CurrentThread.IsThreadPoolThread)
        {
            await new PoolThread();
        }

        return Lane.Narrow;
    }

    /// <summary>Is done with verifying.</summary>
    public void Leave(Lane lane)
    {
        if (lane == Lane.Narrow)
        {
            _narrow.Release();
        }
    }

    /// <summary>Notes that a client's signature did not verify.</summary>
    public void NoteBad(IPAddress? client)
    {
        var place = Place(client);
        var now = time.GetTimestamp();
        lock (_gate)
        {
            ref var bad = ref _bad[place];
            var level = Math.Max(0, bad.Level - (time.GetElapsedTime(bad.At, now).TotalSeconds * Forgiven)) + 1;
            bad = (Math.Min(level, Tolerated * 2), now);
            if (level > Tolerated)
            {
                var until = now + (time.TimestampFrequency * SuspectSeconds);
                Volatile.Write(ref _suspectUntil[place], until);
                Volatile.Write(ref _anySuspectUntil, until);
            }
        }
    }

    public void Dispose() => _narrow.Dispose();

    private bool IsSuspect(IPAddress? client, long now) =>
        now < Volatile.Read(ref _anySuspectUntil) && now < Volatile.Read(ref _suspectUntil[Place(client)]);

    /// <summary>One place for an IPv4 address or an IPv6 network of 64 bits, which is what one client has. Nobody outside can tell who shares it.</summary>
    private static int Place(IPAddress? client)
    {
        if (client is null)
        {
            return 0;
        }

        Span<byte> bytes = stackalloc byte[16];
        client.TryWriteBytes(bytes, out var length);
        var hash = new HashCode();
        hash.AddBytes(client.AddressFamily == AddressFamily.InterNetworkV6 ? bytes[..8] : bytes[..length]);
        return hash.ToHashCode() & (Places - 1);
    }
}

/// <summary>Where a signature is verified.</summary>
internal enum Lane
{
    /// <summary>Nowhere: too many wait.</summary>
    None,

    /// <summary>On the pool.</summary>
    Wide,

    /// <summary>On the pool, a few at a time.</summary>
    Narrow,
}
