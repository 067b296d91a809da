using System.Collections.Immutable;
using Portcullis.Gateway.Configuration;
using Portcullis.Resources;

namespace Portcullis.Gateway.Listeners.Tls;

/// <summary>Certificates of a server as found in Secrets or files, not yet parsed. Values never reach a message.</summary>
internal sealed record TlsCredentials
{
    /// <summary>Largest certificate, key or list that is read from a file.</summary>
    private const int MaxFile = 1024 * 1024;

    /// <summary>Certificate and key in PEM, one pair or one a kind of key.</summary>
    public ImmutableArray<(byte[] Certificate, byte[] Key)> Pairs { get; init; } = [];

    /// <summary>Trust anchors of clients in PEM.</summary>
    public byte[]? Authorities { get; init; }

    /// <summary>Revocation lists in PEM.</summary>
    public byte[]? Revocations { get; init; }

    /// <summary>Files that it was read from, as they were; empty when it came from Secrets.</summary>
    public ImmutableArray<(string Path, FileStamp Stamp)> Files { get; init; } = [];

    /// <summary>Finds what the settings name.</summary>
    /// <exception cref="TlsCredentialException">Something is missing.</exception>
    public static TlsCredentials Find(ServerTlsSettings settings, IReadOnlyDictionary<(string Namespace, string Name), Secret> secrets, string ns)
    {
        ImmutableArray<string> names = string.IsNullOrEmpty(settings.CredentialName) ? settings.CredentialNames : [settings.CredentialName];
        var asksClients = settings.Mode is ServerTlsMode.Mutual or ServerTlsMode.OptionalMutual;
        if (names.IsEmpty)
        {
            return FromFiles(settings, secrets, ns, asksClients);
        }

        var found = new TlsCredentials { Pairs = [.. names.Select(n => Pair(Get(secrets, ns, Plain(n))))] };
        return asksClients ? found.WithAuthorities(secrets, ns, settings.CaCertCredentialName is { Length: > 0 } given ? given : names[0]) : found;
    }

    private static TlsCredentials FromFiles(
        ServerTlsSettings settings, IReadOnlyDictionary<(string Namespace, string Name), Secret> secrets, string ns, bool asksClients)
    {
        var files = ImmutableArray.CreateBuilder<(string, FileStamp)>();
        ImmutableArray<TlsCertificateFiles> pairs = settings.TlsCertificates.IsEmpty
            ? [new() { ServerCertificate = settings.ServerCertificate, PrivateKey = settings.PrivateKey, CaCertificates = settings.CaCertificates }]
            : settings.TlsCertificates;
        var found = new TlsCredentials { Pairs = [.. pairs.Select(p => (Read(p.ServerCertificate, files), Read(p.PrivateKey, files)))] };
        if (asksClients)
        {
            var authorities = settings.CaCertificates is { Length: > 0 } own ? own : pairs.Select(p => p.CaCertificates).FirstOrDefault(c => !string.IsNullOrEmpty(c));
            found = authorities is null
                ? found.WithAuthorities(secrets, ns, settings.CaCertCredentialName ?? "")
                : found with { Authorities = Read(authorities, files) };
            found = string.IsNullOrEmpty(settings.CaCrl) ? found : found with { Revocations = Read(settings.CaCrl, files) };
        }

        return found with { Files = files.ToImmutable() };
    }

    private TlsCredentials WithAuthorities(IReadOnlyDictionary<(string Namespace, string Name), Secret> secrets, string ns, string name)
    {
        name = Plain(name);
        var secret = secrets.GetValueOrDefault((ns, name + "-cacert")) ?? Get(secrets, ns, name);
        if (Value(secret, "cacert") is { } authorities)
        {
            return this with { Authorities = authorities, Revocations = Value(secret, "crl") };
        }

        return Value(secret, "ca.crt") is { } other
            ? this with { Authorities = other, Revocations = Value(secret, "ca.crl") }
            : throw new TlsCredentialException($"found secret `{secret.Id}`, but didn't have expected keys cacert or ca.crt; found: {Keys(secret)}");
    }

    private static (byte[] Certificate, byte[] Key) Pair(Secret secret) =>
        Value(secret, "cert") is { } cert && Value(secret, "key") is { } key ? (cert, key)
        : Value(secret, "tls.crt") is { } tlsCert && Value(secret, "tls.key") is { } tlsKey ? (tlsCert, tlsKey)
        : throw new TlsCredentialException(
            $"found secret `{secret.Id}`, but didn't have expected keys (cert and key) or (tls.crt and tls.key); found: {Keys(secret)}");

    private static Secret Get(IReadOnlyDictionary<(string Namespace, string Name), Secret> secrets, string ns, string name) =>
        secrets.GetValueOrDefault((ns, name)) ?? throw new TlsCredentialException($"secret {ns}/{name} not found") { IsMissing = true };

    private static byte[]? Value(Secret secret, string key) => secret.Values.TryGetValue(key, out var value) && !value.IsEmpty ? value.ToArray() : null;

    private static string Keys(Secret secret) => string.Join(", ", secret.Values.Keys.Order(StringComparer.Ordinal));

    private static string Plain(string name) => name.StartsWith("kubernetes://", StringComparison.Ordinal) ? name["kubernetes://".Length..] : name;

    private static byte[] Read(string? path, ImmutableArray<(string, FileStamp)>.Builder files)
    {
        try
        {
            var stamp = FileStamp.Of(path!);
            if (stamp.Length > MaxFile)
            {
                throw new TlsCredentialException($"`{path}` is larger than {MaxFile} bytes");
            }

            files.Add((path!, stamp));
            return File.ReadAllBytes(path!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new TlsCredentialException($"`{path}` cannot be read: {e.Message}");
        }
    }
}

/// <summary>A certificate that cannot be had, for people to read.</summary>
internal sealed class TlsCredentialException(string message) : Exception(message)
{
    /// <summary>It may yet come, as a resource of its own.</summary>
    public bool IsMissing { get; init; }
}
