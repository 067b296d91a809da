using System.Buffers;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Forwarding;

/// <summary>
/// A request's body that can be sent again: what passes is kept, up to a limit. Beyond the limit it still passes, but only once (Envoy's
/// <c>per_request_buffer_limit</c>: no retry and no mirroring of longer bodies).
/// </summary>
internal sealed class ReplayBody(Stream inner, Action ended) : AsynchronousStream
{
    /// <summary>Envoy's default: 1 MiB.</summary>
    public const int Limit = 1024 * 1024;

    private const int FirstBuffer = 16 * 1024;

    // The response's head may come, and end the keeping, while the body is still being read.
    private readonly Lock _gate = new();
    private byte[]? _kept;
    private int _length;
    private int _position;
    private bool _keeps = true;

    /// <summary>The client has sent all of it.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Everything read so far is kept, so that it can be sent from the start.</summary>
    public bool CanReplay => _keeps;

    /// <summary>What is kept: the whole body once <see cref="HasEnded"/>.</summary>
    public ReadOnlySpan<byte> Kept => _kept.AsSpan(0, _length);

    public override bool CanRead => true;

    public override bool CanWrite => false;

    /// <summary>The next read begins at the start again.</summary>
    public void Rewind() => _position = 0;

    /// <summary>Nobody will ask for it again: what the reader has seen is let go.</summary>
    public void StopKeeping()
    {
        lock (_gate)
        {
            _keeps = false;
            if (_position >= _length)
            {
                Release();
            }
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Replay(buffer.Span, out var hasMore) is var replayed && (replayed > 0 || hasMore))
        {
            return replayed;
        }

        if (HasEnded)
        {
            return 0;
        }

        var read = await inner.ReadAsync(buffer, cancellationToken);
        if (read == 0 && buffer.Length > 0)
        {
            HasEnded = true;
            ended();
        }
        else
        {
            Keep(buffer.Span[..read]);
        }

        return read;
    }

    protected override void Dispose(bool disposing)
    {
        lock (_gate)
        {
            _keeps = false;
            Release();
        }

        base.Dispose(disposing);
    }

    /// <param name="buffer">Gets the bytes; one of no length asks whether there are some.</param>
    /// <param name="hasMore">There are more.</param>
    private int Replay(Span<byte> buffer, out bool hasMore)
    {
        lock (_gate)
        {
            var count = Math.Min(buffer.Length, _length - _position);
            _kept.AsSpan(_position, count).CopyTo(buffer);
            _position += count;
            hasMore = _position < _length;
            return count;
        }
    }

    private void Keep(ReadOnlySpan<byte> read)
    {
        lock (_gate)
        {
            if (_keeps)
            {
                Append(read);
            }
        }
    }

    private void Append(ReadOnlySpan<byte> read)
    {
        if (_length + read.Length > Limit)
        {
            _keeps = false;
            Release();
            return;
        }

        if (_kept is null || _kept.Length - _length < read.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(FirstBuffer, Math.Max(_length + read.Length, _length * 2)));
            Kept.CopyTo(larger);
            Return();
            _kept = larger;
        }

        read.CopyTo(_kept.AsSpan(_length));
        _length += read.Length;
        _position = _length;
    }

    private void Release()
    {
        Return();
        _kept = null;
        _length = _position = 0;
    }

    private void Return()
    {
        if (_kept is not null)
        {
            // Bodies hold what clients keep secret.
            ArrayPool<byte>.Shared.Return(_kept, clearArray: true);
        }
    }
}
