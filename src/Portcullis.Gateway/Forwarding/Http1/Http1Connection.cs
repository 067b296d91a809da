using System.Buffers;
using System.Net.Sockets;

namespace Portcullis.Gateway.Forwarding.Http1;

/// <summary>
/// One connection to a backend and what is needed to use it: a socket, the bytes received and not yet used, and the parsers. Serves one request at a time; while it is idle it holds no
/// buffers.
/// </summary>
internal sealed class Http1Connection
{
    private const int FirstBuffer = 4096;
    private const int LargestBuffer = 64 * 1024;

    private readonly Socket _socket;
    private readonly CircuitBreaker? _breaker;
    private byte[] _buffer = [];
    private int _start;
    private int _end;
    private ValueTask<int> _fill;
    private int _isAborted;
    private string? _localEndPoint;

    /// <param name="socket">Connected.</param>
    /// <param name="breaker">Counts the connection until it is closed; <see langword="null"/> where nobody asks.</param>
    /// <param name="now">Timestamp of the pool's clock.</param>
    public Http1Connection(Socket socket, CircuitBreaker? breaker, long now)
    {
        (_socket, _breaker, OpenedAt) = (socket, breaker, now);
        breaker?.ConnectionOpened();
    }

    /// <summary>Idle connections of a pool that nobody has any more are collected with it: they are counted no longer.</summary>
    ~Http1Connection() => EndCount();

    /// <summary>When it was opened, in the pool's clock.</summary>
    public long OpenedAt { get; }

    /// <summary>The gateway's own address and port; <see langword="null"/> when the connection is gone. Made when first asked for.</summary>
    public string? LocalEndPoint
    {
        get
        {
            try
            {
                return _localEndPoint ??= _socket.LocalEndPoint?.ToString();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return null;
            }
        }
    }

    /// <summary>Requests that it has carried, or carries.</summary>
    public int Requests { get; private set; }

    /// <summary>Parses the response head.</summary>
    public Http1ResponseParser Parser { get; } = new();

    /// <summary>Decodes a chunked body.</summary>
    public ChunkedDecoder Decoder { get; } = new();

    /// <summary>Strings of the last responses.</summary>
    public HeaderMemo Memo { get; } = new();

    /// <summary>The request on its way out.</summary>
    public HeadBuffer Outgoing { get; } = new();

    /// <summary>Received and not yet consumed.</summary>
    public ReadOnlySpan<byte> Buffered => _buffer.AsSpan(_start, _end - _start);

    /// <summary>The same, to be handed on.</summary>
    public ReadOnlyMemory<byte> BufferedMemory => _buffer.AsMemory(_start, _end - _start);

    /// <summary>A receive into the buffer is under way.</summary>
    public bool IsFillPending { get; private set; }

    /// <summary>Somebody has closed it.</summary>
    public bool IsAborted => Volatile.Read(ref _isAborted) != 0;

    /// <summary>Since when it is idle, in the pool's clock.</summary>
    public long IdleSince { get; set; }

    /// <summary>
    /// Gets ready for a request, and starts to receive before anything is sent: an idle connection on which there is something to receive is either closed or out of step.
    /// </summary>
    /// <returns><see langword="false"/> when it cannot be used; it is closed then.</returns>
    public bool TryBegin()
    {
        _buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        _start = _end = 0;
        Requests++;
        try
        {
            if (!TryFill(out _))
            {
                return true;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Reset while it was idle.
        }

        Close();
        return false;
    }

    /// <summary>Sends all of it.</summary>
    public ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes) => _socket.SendAsync(bytes, SocketFlags.None, CancellationToken.None);

    /// <summary>Receives straight into somebody's memory. Only when nothing is buffered and no fill is pending.</summary>
    /// <returns>0 when the backend has closed.</returns>
    public ValueTask<int> ReceiveAsync(Memory<byte> memory) => _socket.ReceiveAsync(memory, SocketFlags.None, CancellationToken.None);

    /// <summary>Receives what is there into the buffer, and leaves a fill pending when nothing is.</summary>
    /// <param name="count">Bytes received; 0 when the backend has closed; -1 with <see langword="false"/>.</param>
    /// <returns><see langword="false"/> when nothing is there yet, or there is no room (then no fill is pending).</returns>
    public bool TryFill(out int count)
    {
        count = -1;
        if (_end == _buffer.Length)
        {
            return false;
        }

        var fill = _socket.ReceiveAsync(_buffer.AsMemory(_end), SocketFlags.None, CancellationToken.None);
        if (!fill.IsCompleted)
        {
            (_fill, IsFillPending) = (fill, true);
            return false;
        }

        count = fill.Result;
        _end += count;
        return true;
    }

    /// <summary>Receives into the buffer, making room first.</summary>
    /// <returns>Bytes received; 0 when the backend has closed; -1 when there is no room left.</returns>
    public ValueTask<int> FillAsync()
    {
        if (!IsFillPending)
        {
            if (!TryMakeRoom())
            {
                return new(-1);
            }

            if (TryFill(out var count))
            {
                return new(count);
            }
        }

        return AwaitFillAsync();
    }

    /// <summary>Is done with bytes of the buffer.</summary>
    public void Consume(int count)
    {
        _start += count;
        if (_start == _end && !IsFillPending)
        {
            _start = _end = 0;
        }
    }

    /// <summary>Whether there is something to receive on an idle connection, which is then of no use any more.</summary>
    public bool IsStale()
    {
        try
        {
            return _socket.Poll(0, SelectMode.SelectRead);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return true;
        }
    }

    /// <summary>Ends a request after which the connection goes on: gives the buffers back.</summary>
    public void EndUse()
    {
        Release(_buffer);
        _buffer = [];
        _start = _end = 0;
        Decoder.Reset();
        Outgoing.Release();
    }

    /// <summary>Closes the socket, from whatever thread; what is being sent or received fails.</summary>
    public void Abort()
    {
        if (EndCount())
        {
            _socket.Dispose();
        }
    }

    /// <summary>Closes the socket and gives the buffers back. Nobody may be sending any more.</summary>
    public void Close()
    {
        Abort();
        if (!IsFillPending)
        {
            Release(_buffer);
        }

        // A pending receive may still write into the buffer: it is left to the garbage collector.
        _buffer = [];
        _start = _end = 0;
        Decoder.Reset();
        Outgoing.Release();
    }

    private bool EndCount()
    {
        if (Interlocked.Exchange(ref _isAborted, 1) != 0)
        {
            return false;
        }

        _breaker?.ConnectionClosed();
        return true;
    }

    [System.Runtime.CompilerServices.AsyncMethodBuilder(typeof(System.Runtime.CompilerServices.PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> AwaitFillAsync()
    {
        int count;
        try
        {
            count = await _fill;
        }
        finally
        {
            _fill = default;
            IsFillPending = false;
        }

        _end += count;
        return count;
    }

    private bool TryMakeRoom()
    {
        if (_end < _buffer.Length)
        {
            return true;
        }

        if (_start > 0)
        {
            Buffered.CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
            return true;
        }

        if (_buffer.Length >= LargestBuffer)
        {
            return false;
        }

        var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 4);
        Buffered.CopyTo(larger);
        Release(_buffer);
        _buffer = larger;
        return true;
    }

    private static void Release(byte[] buffer)
    {
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
