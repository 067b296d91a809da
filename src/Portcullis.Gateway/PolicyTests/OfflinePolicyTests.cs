using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Jwks;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;
using Portcullis.Resources.PolicyTests;

namespace Portcullis.Gateway.PolicyTests;

/// <summary>Resources and policy tests from files, ready to run.</summary>
/// <param name="Runner">Runs tests; <see langword="null"/> when the resources or the tests have an error.</param>
/// <param name="Suites">The tests, a suite a file.</param>
/// <param name="Problems">What reading and compiling found.</param>
/// <param name="Revision">Differs whenever a file does.</param>
public sealed record OfflinePolicyTests(PolicyTestRunner? Runner, ImmutableArray<PolicyTestSuite> Suites, ImmutableArray<Problem> Problems, string Revision)
{
    private static readonly TimeSpan KeysWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Debounce = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(5);

    /// <summary>Reads and compiles. Keys are fetched only if a test has a token of its own.</summary>
    /// <param name="options">Paths, mesh configuration, workload and ports; the rest is not used.</param>
    /// <param name="tests">Files of tests, and folders with such files. They are not read as resources, wherever they are.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<OfflinePolicyTests> LoadAsync(GatewayOptions options, ImmutableArray<string> tests, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = new List<Problem>();
        using var revision = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var files = Files(tests, problems);
        var suites = files.Select(f => Read(f, problems, revision)).OfType<PolicyTestSuite>().ToImmutableArray();
        var source = new FileResourceSource(new FileResourceSourceOptions { Paths = options.Paths, Except = [.. files], MeshConfigPath = options.MeshConfigFile }, TimeProvider.System);
        var resources = source.Load();
        problems.AddRange(resources.Problems);
        revision.AppendData(Encoding.UTF8.GetBytes(resources.Revision));
        var runner = suites.Any(s => s.Tests.Any(t => t.Token is not null))
            ? await CompileWithKeysAsync(options, resources, problems, cancellationToken)
            : PolicyTestRunner.Compile(resources, options.Workload, options.Ports, new NoKeys(), problems);
        return new(
            problems.Exists(p => p.Severity == ProblemSeverity.Error) ? null : runner,
            suites,
            [.. problems],
            Convert.ToHexStringLower(revision.GetHashAndReset()));
    }

    /// <summary>Yields the tests as they are now, and again whenever a file of them or of the resources changes, for as long as the enumeration goes on.</summary>
    /// <param name="options">As for <see cref="LoadAsync"/>.</param>
    /// <param name="tests">As for <see cref="LoadAsync"/>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async IAsyncEnumerable<OfflinePolicyTests> WatchAsync(
        GatewayOptions options, ImmutableArray<string> tests, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        void Wake() => signal.Writer.TryWrite(true);

        // The watchers come first: a change between reading and watching would be missed the other way round.
        IEnumerable<string> paths = [.. options.Paths, .. tests, .. options.MeshConfigFile is { } mesh ? [mesh] : Array.Empty<string>()];
        using var watchers = new FolderWatchers(paths, Wake);
        await using var poll = TimeProvider.System.CreateTimer(_ => Wake(), null, PollInterval, PollInterval);
        var current = await LoadAsync(options, tests, cancellationToken);
        yield return current;
        while (true)
        {
            await signal.Reader.ReadAsync(cancellationToken);
            await Task.Delay(Debounce, cancellationToken);
            signal.Reader.TryRead(out _);
            watchers.Renew();
            var next = await LoadAsync(options, tests, cancellationToken);
            if (next.Revision != current.Revision)
            {
                current = next;
                yield return current;
            }
        }
    }

    private static async Task<PolicyTestRunner> CompileWithKeysAsync(
        GatewayOptions options, ResourceSet resources, List<Problem> problems, CancellationToken cancellationToken)
    {
        await using var resolver = new RemoteJwksResolver(new JwksFetchOptions());
        using var revision = resolver.BeginRevision();
        var runner = PolicyTestRunner.Compile(resources, options.Workload, options.Ports, revision, problems);
        await revision.WaitForFirstAttemptAsync(KeysWait, cancellationToken);
        return runner;
    }

    private static List<string> Files(ImmutableArray<string> paths, List<Problem> problems)
    {
        var files = new List<string>();
        foreach (var path in paths)
        {
            try
            {
                ConfigurationFiles.List(path, files);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problems.Add(Unreadable(path, e));
            }
        }

        return [.. files.DistinctBy(Path.GetFullPath)];
    }

    private static PolicyTestSuite? Read(string path, List<Problem> problems, IncrementalHash revision)
    {
        try
        {
            var file = CachedFile.Read(path, known: null, TimeProvider.System.GetUtcNow());
            revision.AppendData(Encoding.UTF8.GetBytes(path));
            revision.AppendData(file.Hash);
            var result = PolicyTestFile.Read(path, file.Text);
            problems.AddRange(result.Problems);
            return result.Suite;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add(Unreadable(path, e));
            return null;
        }
    }

    private static Problem Unreadable(string path, Exception e) => new()
    {
        Code = ProblemCodes.Unreadable,
        Severity = ProblemSeverity.Error,
        Source = path,
        Message = e is FileNotFoundException or DirectoryNotFoundException ? "there is no such file or folder" : $"cannot be read: {e.Message.TrimEnd('.')}",
        Remedy = "check the path",
    };

    private sealed class NoKeys : IJwksResolver
    {
        public JwksSource Resolve(JwksLocation location) => FixedJwksSource.None;
    }
}
