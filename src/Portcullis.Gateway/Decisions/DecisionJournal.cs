using System.Collections.Immutable;
using Portcullis.Gateway.Configuration;

namespace Portcullis.Gateway.Decisions;

/// <summary>
/// The recent decisions. Refused and allowed ones have a ring each, so that a flood of the one does not push out the other. Safe for concurrent use.
/// </summary>
internal sealed class DecisionJournal(int capacity)
{
    /// <summary>Bytes that each of the two rings may take.</summary>
    public const long MaxBytes = 4 * 1024 * 1024;

    /// <summary>Snapshots whose decisions can be explained by the configuration that made them: the present one and those before it.</summary>
    private const int MaxSnapshots = 3;

    private readonly Lock _lock = new();
    private readonly DecisionRing _refused = new(capacity, MaxBytes);
    private readonly DecisionRing _allowed = new(capacity, MaxBytes);
    private ImmutableArray<GatewaySnapshot> _snapshots = [];
    private ImmutableArray<DecisionTap> _taps = [];
    private long _sequence;
    private long _evicted;

    /// <summary>Decisions of each kind that are kept at most.</summary>
    public int Capacity => capacity;

    /// <summary>Keeps a decision, and hands it to who listens; nobody is waited for.</summary>
    public void Add(DecisionRecord record, GatewaySnapshot snapshot)
    {
        ImmutableArray<DecisionTap> taps;
        lock (_lock)
        {
            record.Sequence = ++_sequence;
            _evicted += (record.IsRefused ? _refused : _allowed).Add(record);
            if (!_snapshots.Contains(snapshot))
            {
                // A request that ends late may bring back an older snapshot; the newest stay.
                _snapshots = [.. _snapshots.Add(snapshot).OrderByDescending(s => s.Generation).Take(MaxSnapshots)];
            }

            taps = _taps;
        }

        foreach (var tap in taps)
        {
            tap.Offer(record);
        }
    }

    /// <summary>A decision by its id; <see langword="null"/> when it is not kept, or no longer.</summary>
    public DecisionRecord? Find(string id)
    {
        lock (_lock)
        {
            return _refused.Find(id) ?? _allowed.Find(id);
        }
    }

    /// <summary>The snapshot of a generation, while it is held.</summary>
    public GatewaySnapshot? FindSnapshot(long generation)
    {
        lock (_lock)
        {
            return _snapshots.FirstOrDefault(s => s.Generation == generation);
        }
    }

    /// <summary>Decisions that a query asks for, newest first, and where the next page begins.</summary>
    public (ImmutableArray<DecisionRecord> Page, long? Next) Read(DecisionQuery query)
    {
        DecisionRecord[] all;
        lock (_lock)
        {
            all = [.. _refused.Records, .. _allowed.Records];
        }

        Array.Sort(all, static (a, b) => b.Sequence.CompareTo(a.Sequence));
        var page = all.Where(r => r.Sequence < query.Before && query.Matches(r)).Take(query.Limit + 1).ToImmutableArray();
        return page.Length <= query.Limit ? (page, null) : (page[..query.Limit], page[query.Limit - 1].Sequence);
    }

    /// <summary>How much is kept.</summary>
    public DecisionCounts Counts()
    {
        lock (_lock)
        {
            return new DecisionCounts(_refused.Count, _allowed.Count, _refused.Bytes + _allowed.Bytes, _sequence, _evicted);
        }
    }

    /// <summary>Listens from now on.</summary>
    /// <returns><see langword="null"/> when too many do already.</returns>
    public DecisionTap? Open(DecisionQuery query)
    {
        lock (_lock)
        {
            if (_taps.Length >= DecisionTap.MaxCount)
            {
                return null;
            }

            var tap = new DecisionTap(query, Close);
            _taps = _taps.Add(tap);
            return tap;
        }
    }

    private void Close(DecisionTap tap)
    {
        lock (_lock)
        {
            _taps = _taps.Remove(tap);
        }
    }
}

/// <summary>How much a journal holds.</summary>
/// <param name="Refused">Refused decisions that are kept.</param>
/// <param name="Allowed">Allowed decisions that are kept.</param>
/// <param name="Bytes">What they take, estimated from above.</param>
/// <param name="Recorded">Decisions ever recorded.</param>
/// <param name="Evicted">Of these, how many had to make room.</param>
internal sealed record DecisionCounts(int Refused, int Allowed, long Bytes, long Recorded, long Evicted);
