namespace Portcullis.Gateway.Forwarding;

/// <summary>Tells, on an HTTP/1.1 connection, a backend that closes instead of answering from one that closes when it may.</summary>
internal struct AnswerWatch
{
    private volatile bool _isAwaited;
    private volatile bool _isUpgraded;

    /// <summary>A request has been sent and nothing of its answer has come.</summary>
    public readonly bool IsAwaited => _isAwaited;

    public void Wrote() => _isAwaited = !_isUpgraded;

    /// <exception cref="UpstreamClosedException">The connection ended in place of an answer.</exception>
    public void Read(ReadOnlySpan<byte> buffer, int read)
    {
        if (buffer.IsEmpty || !_isAwaited)
        {
            return;
        }

        if (read == 0)
        {
            throw new UpstreamClosedException(null);
        }

        _isAwaited = false;
        // From here on there are no answers, and either side may close as it likes.
        _isUpgraded = buffer[..read].StartsWith("HTTP/1.1 101"u8);
    }
}
