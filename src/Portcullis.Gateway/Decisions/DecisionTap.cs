using System.Threading.Channels;

namespace Portcullis.Gateway.Decisions;

/// <summary>One listener to decisions as they are made. A slow one loses some and is told how many; no request waits for it.</summary>
internal sealed class DecisionTap(DecisionQuery query, Action<DecisionTap> close) : IDisposable
{
    /// <summary>Listeners at the same time.</summary>
    public const int MaxCount = 16;

    /// <summary>Decisions that wait for a listener at most.</summary>
    public const int QueueLength = 256;

    private readonly Channel<DecisionRecord> _queue = Channel.CreateBounded<DecisionRecord>(
        new BoundedChannelOptions(QueueLength) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private long _dropped;

    public ChannelReader<DecisionRecord> Reader => _queue.Reader;

    public void Offer(DecisionRecord record)
    {
        if (query.Matches(record) && !_queue.Writer.TryWrite(record))
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    /// <summary>How many were lost since this was last asked.</summary>
    public long TakeDropped() => Interlocked.Exchange(ref _dropped, 0);

    public void Dispose() => close(this);
}
