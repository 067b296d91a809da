using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;

namespace Portcullis.Fuzz;

/// <summary>Runs inputs against targets, one after the other on the caller's thread, and judges each.</summary>
public sealed class FuzzLoop(int seed)
{
    /// <summary>Longest that one input may take; a slow one is run again and its processor time taken, so that a busy machine finds nothing.</summary>
    public static readonly TimeSpan LongestRun = TimeSpan.FromSeconds(1);

    private const string ThreadTimes = "/proc/thread-self/schedstat";
    private const int LongestInput = 96 * 1024;
    private const int LongestKept = 4 * 1024;

    private readonly Mutator _mutator = new(seed);
    private readonly Dictionary<(string Target, string Outcome, long Allocated), byte[]> _kept = [];
    private readonly Dictionary<string, FuzzFinding> _findings = [];

    public long Executed { get; private set; }

    public TimeSpan Slowest { get; private set; }

    public double MostAllocatedPerByte { get; private set; }

    public IReadOnlyCollection<FuzzFinding> Findings => _findings.Values;

    /// <summary>The shortest input that was met for each outcome.</summary>
    public IEnumerable<(string Target, byte[] Input)> Kept =>
        _kept.GroupBy(k => (k.Key.Target, k.Key.Outcome)).Select(g => (g.Key.Target, g.MinBy(k => k.Value.Length).Value));

    /// <summary>What one input may allocate: the texts and documents that are made of it, and the objects around them.</summary>
    public static long MostAllocated(int inputLength) => (256 * 1024) + (256L * inputLength);

    /// <summary>Mutates until it is told to end.</summary>
    public void Run(IReadOnlyList<FuzzTarget> targets, Func<bool> goesOn)
    {
        var pools = targets.Select(t => _kept.Where(k => k.Key.Target == t.Name).Select(k => k.Value).Concat(t.Seeds).ToList()).ToArray();
        for (var i = 0; goesOn(); i = (i + 1) % targets.Count)
        {
            var pool = pools[i];
            _mutator.Other = _mutator.Pick(pool);
            var input = targets[i].Mutate(_mutator, _mutator.Pick(pool));
            if (input.Length <= LongestInput && Execute(targets[i], input) && input.Length <= LongestKept)
            {
                pool.Add(input);
            }
        }
    }

    /// <summary>Runs one input and judges it.</summary>
    /// <returns>Whether its outcome is new.</returns>
    public bool Execute(FuzzTarget target, byte[] input)
    {
        Executed++;
        string outcome;
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var started = Stopwatch.GetTimestamp();
        try
        {
            outcome = target.Run(input);
        }
        catch (Exception e)
        {
            Add(target, input, $"{e.GetType().Name}: {e.Message}", e.StackTrace?.Split('\n').FirstOrDefault(l => l.Contains("Portcullis.", StringComparison.Ordinal)));
            return false;
        }

        var took = Stopwatch.GetElapsedTime(started);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        if (took > LongestRun && FastestOf(target, input) is var fastest)
        {
            took = fastest;
            if (took > LongestRun)
            {
                Add(target, input, $"takes too long: {took.TotalMilliseconds:F0} ms", null);
            }
        }

        if (allocated > MostAllocated(input.Length))
        {
            Add(target, input, "allocates too much", $"{allocated} bytes for {input.Length}");
        }

        Slowest = took > Slowest ? took : Slowest;
        MostAllocatedPerByte = Math.Max(MostAllocatedPerByte, input.Length < 1024 ? 0 : (double)allocated / input.Length);
        return Keep(target, input, outcome, long.Log2(allocated + 1));
    }

    /// <summary>How much was allocated tells roughly how far the reader got.</summary>
    private bool Keep(FuzzTarget target, byte[] input, string outcome, long allocated)
    {
        var isNew = !_kept.TryGetValue((target.Name, outcome, allocated), out var known);
        if (isNew || known!.Length > input.Length)
        {
            _kept[(target.Name, outcome, allocated)] = input;
        }

        return isNew;
    }

    private static TimeSpan FastestOf(FuzzTarget target, byte[] input)
    {
        var fastest = TimeSpan.MaxValue;
        for (var n = 0; n < 5; n++)
        {
            var started = Clock();
            target.Run(input);
            var took = Clock() - started;
            fastest = took < fastest ? took : fastest;
        }

        return fastest;
    }

    /// <summary>Time that this thread had a processor, where the system tells; else the time of day.</summary>
    private static TimeSpan Clock() => File.Exists(ThreadTimes)
        ? TimeSpan.FromMicroseconds(long.Parse(File.ReadAllText(ThreadTimes).Split(' ')[0], CultureInfo.InvariantCulture) / 1000)
        : Stopwatch.GetElapsedTime(0);

    private void Add(FuzzTarget target, byte[] input, string what, string? where)
    {
        var finding = new FuzzFinding(target.Name, what, where, input);
        _findings.TryAdd($"{target.Name} {what.Split(':')[0]} {where}", finding); // the first of each kind
    }
}

/// <summary>A broken promise, and the input that breaks it.</summary>
public sealed record FuzzFinding(string Target, string What, string? Where, byte[] Input)
{
    /// <summary>Short name for files.</summary>
    public string Id => Convert.ToHexStringLower(SHA256.HashData(Input).AsSpan(0, 6));

    public override string ToString() => $"{Target} {Id}: {What} {Where?.Trim()} input {Convert.ToBase64String(Input.AsSpan(0, Math.Min(Input.Length, 300)))}";
}
