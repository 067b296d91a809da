using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Portcullis.Resources;

namespace Portcullis.Gateway.Configuration;

/// <summary>
/// Reads resources from files and folders and watches them. Only files that changed are read again; sets of equal content are dropped.
/// A file that cannot be read is a problem of the set, never an exception. One reader at a time.
/// </summary>
public sealed class FileResourceSource
{
    /// <summary>How often a file that looks half-written is looked at again before it is believed.</summary>
    private const int MaxSecondLooks = 3;

    private readonly FileResourceSourceOptions _options;
    private readonly TimeProvider _time;
    private Dictionary<string, CachedFile> _files = new(StringComparer.Ordinal);

    /// <summary>Makes a source; nothing is read yet.</summary>
    public FileResourceSource(FileResourceSourceOptions options, TimeProvider time) => (_options, _time) = (options, time);

    /// <summary>Reads everything now.</summary>
    public ResourceSet Load() => Scan().Set;

    /// <summary>
    /// Yields the set as it is now, then every set that differs from the one before, for as long as the enumeration goes on.
    /// </summary>
    public async IAsyncEnumerable<ResourceSet> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        void Wake() => signal.Writer.TryWrite(true);

        // The watchers come first: a change between reading and watching would be missed the other way round.
        using var watchers = new FolderWatchers(WatchedPaths(), Wake);
        await using var poll = _time.CreateTimer(_ => Wake(), null, _options.PollInterval, _options.PollInterval);
        var current = Load();
        yield return current;
        while (true)
        {
            await signal.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            var secondLooks = 0;
            Snapshot next;
            do
            {
                await Task.Delay(_options.Debounce, _time, cancellationToken).ConfigureAwait(false);
                signal.Reader.TryRead(out _);
                watchers.Renew();
                next = Scan();
            }
            while (next.LooksHalfWritten && secondLooks++ < MaxSecondLooks);

            if (next.Set.Revision != current.Revision)
            {
                current = next.Set;
                yield return current;
            }
        }
    }

    private IEnumerable<string> WatchedPaths() => _options.MeshConfigPath is { } mesh ? _options.Paths.Append(mesh) : _options.Paths;

    private Snapshot Scan()
    {
        var problems = new List<Problem>();
        var seen = new Dictionary<string, CachedFile>(StringComparer.Ordinal);
        var results = new List<ReadResult>();
        using var revision = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var halfWritten = false;
        foreach (var path in Files(problems))
        {
            if (Read(path, seen, problems) is not { } file)
            {
                continue;
            }

            var isNew = file.Resources is null;
            var result = file.ReadResources(path);
            halfWritten |= isNew && (file.Text.Length == 0 || result.Problems.Any(p => p.Code == ProblemCodes.Syntax));
            results.Add(result);
            Append(revision, path, file.Hash);
        }

        var mesh = ReadMesh(seen, problems, revision);
        foreach (var problem in problems)
        {
            Append(revision, problem.ToString(), []);
        }

        _files = seen;
        return new(ResourceSetBuilder.Build(results, problems, mesh, Convert.ToHexStringLower(revision.GetHashAndReset())), halfWritten);
    }

    private MeshConfig ReadMesh(Dictionary<string, CachedFile> seen, List<Problem> problems, IncrementalHash revision)
    {
        if (_options.MeshConfigPath is not { } path || Read(path, seen, problems) is not { } file)
        {
            return MeshConfig.Default;
        }

        var mesh = file.ReadMesh(path);
        problems.AddRange(mesh.Problems);
        Append(revision, path, file.Hash);
        return mesh.Config ?? MeshConfig.Default;
    }

    private List<string> Files(List<Problem> problems)
    {
        var files = new List<string>();
        foreach (var path in _options.Paths)
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

        var known = new HashSet<string>(_options.Except.Select(Path.GetFullPath), StringComparer.Ordinal);
        files.RemoveAll(f => !known.Add(Path.GetFullPath(f)));
        return files;
    }

    private CachedFile? Read(string path, Dictionary<string, CachedFile> seen, List<Problem> problems)
    {
        try
        {
            var file = CachedFile.Read(path, _files.GetValueOrDefault(path), _time.GetUtcNow());
            seen[path] = file;
            return file;
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
        Message = e switch
        {
            FileNotFoundException or DirectoryNotFoundException => "there is no such file or folder",
            UnauthorizedAccessException => "the file or folder may not be read",
            _ => $"cannot be read: {e.Message.TrimEnd('.')}",
        },
        Remedy = e is UnauthorizedAccessException ? "give the gateway's user read access" : "check the path",
    };

    private static void Append(IncrementalHash revision, string text, ReadOnlySpan<byte> hash)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        revision.AppendData(length);
        revision.AppendData(bytes);
        revision.AppendData(hash);
    }

    private readonly record struct Snapshot(ResourceSet Set, bool LooksHalfWritten);
}
