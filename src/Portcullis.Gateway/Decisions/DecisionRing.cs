namespace Portcullis.Gateway.Decisions;

/// <summary>The last decisions of one kind, bounded in number and in bytes: the oldest makes room. Not safe for concurrent use.</summary>
internal sealed class DecisionRing(int capacity, long maxBytes)
{
    private readonly Queue<DecisionRecord> _records = new();
    private readonly Dictionary<string, DecisionRecord> _byId = new(StringComparer.Ordinal);

    public int Count => _records.Count;

    public long Bytes { get; private set; }

    /// <summary>Oldest first.</summary>
    public IEnumerable<DecisionRecord> Records => _records;

    /// <summary>Keeps one.</summary>
    /// <returns>How many had to go.</returns>
    public int Add(DecisionRecord record)
    {
        _records.Enqueue(record);
        _byId[record.Id] = record;
        Bytes += record.Bytes;
        var evicted = 0;
        while (_records.Count > capacity || (Bytes > maxBytes && _records.Count > 1))
        {
            var oldest = _records.Dequeue();
            _byId.Remove(oldest.Id);
            Bytes -= oldest.Bytes;
            evicted++;
        }

        return evicted;
    }

    public DecisionRecord? Find(string id) => _byId.GetValueOrDefault(id);
}
