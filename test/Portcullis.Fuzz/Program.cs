using System.Diagnostics;
using System.Globalization;
using Portcullis.Fuzz;

// Fuzzes on one thread until a time is up: fuzz CPU-SECONDS WALL-SECONDS SEED [CORPUS-IN [CORPUS-OUT]]
if (args is not [var cpuText, var wallText, var seedText, .. var folders] || !int.TryParse(cpuText, CultureInfo.InvariantCulture, out var cpuSeconds)
    || !int.TryParse(wallText, CultureInfo.InvariantCulture, out var wallSeconds) || !int.TryParse(seedText, CultureInfo.InvariantCulture, out var seed))
{
    Console.Error.WriteLine("usage: Portcullis.Fuzz CPU-SECONDS WALL-SECONDS SEED [CORPUS-IN [CORPUS-OUT]]");
    return 2;
}

var process = Process.GetCurrentProcess();
var started = Stopwatch.GetTimestamp();
var nextReport = TimeSpan.FromSeconds(30);
FuzzTarget[] targets = [.. FuzzTarget.All(), new ResponseTarget(), new ClientHelloTarget(), new ProxyHeaderTarget()];
var loop = new FuzzLoop(seed);
foreach (var target in targets)
{
    foreach (var input in target.Seeds.Concat(folders.Length > 0 ? Corpus.Read(folders[0], target.Name) : []))
    {
        loop.Execute(target, input);
    }
}

loop.Run(targets, () =>
{
    if (loop.Executed % 256 != 0)
    {
        return true;
    }

    var elapsed = Stopwatch.GetElapsedTime(started);
    process.Refresh();
    if (elapsed > nextReport)
    {
        nextReport = elapsed + TimeSpan.FromSeconds(60);
        Report();
    }

    return elapsed.TotalSeconds < wallSeconds && process.TotalProcessorTime.TotalSeconds < cpuSeconds;
});
Report();
if (folders.Length > 1)
{
    // What is kept in the repository: small, and nothing that looks like somebody's private key.
    foreach (var group in loop.Kept.Where(k => k.Input.Length <= 1024 && k.Input.AsSpan().IndexOf("PRIVATE KEY"u8) < 0).GroupBy(k => k.Target))
    {
        foreach (var (target, input) in group.OrderBy(k => k.Input.Length).Take(120))
        {
            Corpus.Write(folders[1], target, input);
        }
    }
}

return loop.Findings.Count == 0 ? 0 : 1;

void Report()
{
    process.Refresh();
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{loop.Executed} inputs, {process.TotalProcessorTime.TotalSeconds:F0} s of CPU, {Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s, {loop.Kept.Count()} outcomes, slowest {loop.Slowest.TotalMilliseconds:F1} ms, at most {loop.MostAllocatedPerByte:F0} bytes allocated a byte, {process.PeakWorkingSet64 >> 20} MiB at most, {loop.Findings.Count} findings"));
    foreach (var finding in loop.Findings)
    {
        Console.WriteLine(finding);
        if (folders.Length > 1)
        {
            Corpus.Write(Path.Combine(folders[1], "findings"), finding.Target, finding.Input);
        }
    }
}
