using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;

namespace Portcullis.Gateway.Jwks;

/// <summary>Keys as they are kept on disk.</summary>
/// <param name="Json">The set as it was fetched.</param>
/// <param name="KeysUrl">Where it was fetched from.</param>
/// <param name="FetchedAt">When it was last fetched or confirmed.</param>
internal sealed record StoredJwks(string Json, string KeysUrl, DateTimeOffset FetchedAt);

/// <summary>
/// The last good keys of every location, one file each, so that a restart survives an outage of the identity provider. Files are replaced whole (a reader
/// never sees half of one) and are the owner's alone. What cannot be read, is too long, too old or of another location counts as absent.
/// </summary>
internal sealed class JwksStateStore
{
    private const string Suffix = ".jwks.json";

    /// <summary>A set in a JSON string can be twice its length and more; what surrounds it is short.</summary>
    private const int MaxFileBytes = (JsonWebKeySet.MaxLength * 6) + (16 * 1024);

    private readonly string _directory;
    private readonly TimeSpan _keep;
    private readonly TimeProvider _timeProvider;

    /// <summary>Makes the directory, and takes out what is too old to be used.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be written to.</exception>
    public JwksStateStore(string directory, TimeSpan keep, TimeProvider timeProvider)
    {
        _directory = Path.GetFullPath(directory);
        _keep = keep;
        _timeProvider = timeProvider;
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(_directory);
        }
        else
        {
            Directory.CreateDirectory(_directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        foreach (var file in Directory.EnumerateFiles(_directory, "*" + Suffix + "*"))
        {
            if (timeProvider.GetUtcNow() - File.GetLastWriteTimeUtc(file) > keep)
            {
                File.Delete(file);
            }
        }
    }

    /// <summary>The keys of a location, when there are any that may still be used.</summary>
    public bool TryRead(JwksLocation location, [NotNullWhen(true)] out StoredJwks? stored, [NotNullWhen(true)] out JsonWebKeySet? keys)
    {
        (stored, keys) = (null, null);
        try
        {
            var file = PathOf(location);
            if (!File.Exists(file) || new FileInfo(file).Length > MaxFileBytes)
            {
                return false;
            }

            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            var root = document.RootElement;
            if (root.GetProperty("location").GetString() != Identity(location))
            {
                return false;
            }

            var now = _timeProvider.GetUtcNow();
            var fetchedAt = root.GetProperty("fetchedAt").GetDateTimeOffset();
            stored = new(root.GetProperty("jwks").GetString()!, root.GetProperty("url").GetString()!, fetchedAt < now ? fetchedAt : now);
            keys = JsonWebKeySet.Parse(stored.Json);
            return keys.IsUsable && now - stored.FetchedAt <= _keep;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException
            or InvalidOperationException or FormatException or ArgumentNullException)
        {
            return false; // fails closed: without keys no token passes, and the fetch will say what is wrong
        }
    }

    /// <summary>Replaces the keys of a location.</summary>
    /// <exception cref="IOException">They cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">They cannot be written.</exception>
    public void Write(JwksLocation location, StoredJwks stored)
    {
        var file = PathOf(location);
        var temporary = $"{file}.{Environment.ProcessId}.tmp";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            File.Delete(temporary); // the mode counts only for a file that is made here
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var stream = new FileStream(temporary, options))
        {
            using (var json = new Utf8JsonWriter(stream))
            {
                json.WriteStartObject();
                json.WriteString("location"u8, Identity(location));
                json.WriteString("url"u8, stored.KeysUrl);
                json.WriteString("fetchedAt"u8, stored.FetchedAt);
                json.WriteString("jwks"u8, stored.Json);
                json.WriteEndObject();
            }

            stream.Flush(flushToDisk: true);
        }

        File.SetLastWriteTimeUtc(temporary, stored.FetchedAt.UtcDateTime);
        File.Move(temporary, file, overwrite: true);
    }

    private string PathOf(JwksLocation location) => Path.Combine(_directory, Identity(location) + Suffix);

    /// <summary>Issuer and URL decide whose keys they are; how they are fetched does not. A hash, since a URL can hold a password.</summary>
    private static string Identity(JwksLocation location) => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new[] { location.Issuer, location.JwksUri }))));
}
