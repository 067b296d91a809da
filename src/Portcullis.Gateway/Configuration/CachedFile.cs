using System.Security.Cryptography;
using System.Text;
using Portcullis.Resources;

namespace Portcullis.Gateway.Configuration;

/// <summary>What tells, without reading it, that a file may have changed: the file behind its links, its size and its time.</summary>
internal readonly record struct FileStamp(string Target, long Length, DateTime Modified)
{
    public static FileStamp Of(string path)
    {
        FileSystemInfo file = new FileInfo(path);
        if (file.LinkTarget is not null)
        {
            file = file.ResolveLinkTarget(returnFinalTarget: true) ?? file;
        }

        return new(file.FullName, (file as FileInfo)?.Length ?? 0, file.LastWriteTimeUtc);
    }
}

/// <summary>A file as it was read last.</summary>
internal sealed class CachedFile
{
    /// <summary>Largest file that is read.</summary>
    private const long MaxLength = 64 * 1024 * 1024;

    /// <summary>A file changed again within the resolution of file times looks unchanged; only one older than this when read is trusted.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(1);

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private CachedFile(FileStamp stamp, bool isSettled, byte[] hash, string text)
    {
        (Stamp, IsSettled, Hash, Text) = (stamp, isSettled, hash, text);
    }

    public FileStamp Stamp { get; }

    public bool IsSettled { get; }

    /// <summary>SHA-256 of the content.</summary>
    public byte[] Hash { get; }

    public string Text { get; }

    /// <summary>Reads a file, or keeps what is known of it when it has not changed.</summary>
    /// <exception cref="IOException">It cannot be read, is too large or is not UTF-8.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be read.</exception>
    public static CachedFile Read(string path, CachedFile? known, DateTimeOffset now)
    {
        var stamp = FileStamp.Of(path);
        if (known is { IsSettled: true } && known.Stamp == stamp)
        {
            return known;
        }

        if (stamp.Length > MaxLength)
        {
            throw new IOException($"larger than {MaxLength} bytes");
        }

        var bytes = File.ReadAllBytes(path);
        var hash = SHA256.HashData(bytes);
        var settled = now.UtcDateTime - stamp.Modified > Settled && bytes.Length == stamp.Length;
        if (known is not null && hash.AsSpan().SequenceEqual(known.Hash))
        {
            return new CachedFile(stamp, settled, known.Hash, known.Text) { Resources = known.Resources, Mesh = known.Mesh };
        }

        return new CachedFile(stamp, settled, hash, Decode(bytes));
    }

    /// <summary>The parsed content, once somebody asked for it.</summary>
    public ReadResult? Resources { get; private set; }

    /// <summary>The parsed content of a mesh configuration.</summary>
    public MeshConfigResult? Mesh { get; private set; }

    public ReadResult ReadResources(string path) => Resources ??= ResourceReader.Read(path, Text);

    public MeshConfigResult ReadMesh(string path) => Mesh ??= MeshConfigReader.Read(path, Text);

    private static string Decode(byte[] bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new IOException($"not UTF-8 at byte {e.Index}", e);
        }
    }
}
