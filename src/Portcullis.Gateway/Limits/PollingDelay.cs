using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Portcullis.Gateway.Limits;

/// <summary>
/// How late the threads that poll sockets get to them: a datagram to itself on as many sockets as there are such threads. Where requests run on these threads, they are
/// what is short, and the pool's queue says nothing.
/// </summary>
internal sealed class PollingDelay : IDisposable
{
    private readonly Probe[] _probes;

    private PollingDelay(Probe[] probes) => _probes = probes;

    /// <summary>Opens the sockets; the runtime deals them out to its threads in turn.</summary>
    /// <returns><see langword="null"/> where the system gives no such socket.</returns>
    public static PollingDelay? TryOpen()
    {
        var probes = new List<Probe>();
        try
        {
            for (var i = 0; i < Environment.ProcessorCount; i++)
            {
                probes.Add(new Probe());
            }

            return new PollingDelay([.. probes]);
        }
        catch (SocketException)
        {
            probes.ForEach(p => p.Dispose());
            return null;
        }
    }

    /// <summary>The longest delay of the last datagrams, or how long one on its way has waited already. Sends the next.</summary>
    public TimeSpan Measure()
    {
        var longest = TimeSpan.Zero;
        foreach (var probe in _probes)
        {
            var delay = probe.Measure();
            longest = delay > longest ? delay : longest;
        }

        return longest;
    }

    public void Dispose()
    {
        foreach (var probe in _probes)
        {
            probe.Dispose();
        }
    }

    private sealed class Probe : IDisposable
    {
        private static readonly byte[] Datagram = [0];

        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        private readonly SocketAsyncEventArgs _receive = new();
        private long _sent;
        private long _delay;

        public Probe()
        {
            try
            {
                _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                // Connected to itself, it takes datagrams of nobody else.
                _socket.Connect(_socket.LocalEndPoint!);
            }
            catch
            {
                Dispose();
                throw;
            }

            _receive.SetBuffer(new byte[1]);
            _receive.Completed += (_, _) => Received();
        }

        public TimeSpan Measure()
        {
            if (Volatile.Read(ref _sent) is var sent and not 0)
            {
                return Stopwatch.GetElapsedTime(sent);
            }

            var delay = TimeSpan.FromTicks(Volatile.Read(ref _delay));
            Volatile.Write(ref _sent, Stopwatch.GetTimestamp());
            try
            {
                // Receiving first: a datagram that is there already would be taken here and now.
                if (!_socket.ReceiveAsync(_receive))
                {
                    Received();
                }

                _socket.Send(Datagram);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                Volatile.Write(ref _sent, 0);
            }

            return delay;
        }

        public void Dispose()
        {
            _socket.Dispose();
            _receive.Dispose();
        }

        private void Received()
        {
            Volatile.Write(ref _delay, Stopwatch.GetElapsedTime(Volatile.Read(ref _sent)).Ticks);
            Volatile.Write(ref _sent, 0);
        }
    }
}
