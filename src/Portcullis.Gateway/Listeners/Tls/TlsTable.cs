using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Portcullis.Gateway.Configuration;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.Listeners.Tls;

/// <summary>
/// The servers of one configuration that terminate TLS, each with its certificates. A server whose certificate cannot be had is not among them:
/// its handshakes fail, and those of the others do not.
/// </summary>
internal sealed class TlsTable
{
    private readonly FrozenDictionary<(string Namespace, string Name), Secret> _secrets;
    private readonly string _namespace;
    private readonly TlsCertificateCache _cache;
    private FrozenDictionary<TlsChain, Entry> _servers;

    private TlsTable(IEnumerable<TlsChain> chains, ResourceSet resources, string ns, TlsCertificateCache cache, ICollection<Problem> problems)
    {
        (_namespace, _cache) = (ns, cache);
        _secrets = resources.OfType<Secret>().DistinctBy(s => (s.Metadata.Namespace, s.Metadata.Name))
            .ToFrozenDictionary(s => (s.Metadata.Namespace, s.Metadata.Name));
        var servers = new Dictionary<TlsChain, Entry>(ReferenceEqualityComparer.Instance);
        foreach (var chain in chains)
        {
            try
            {
                servers[chain] = Load(chain);
            }
            catch (TlsCredentialException e)
            {
                var settings = chain.Settings;
                var field = settings.CredentialName is { Length: > 0 } ? "credentialName" : settings.CredentialNames.IsEmpty ? "serverCertificate" : "credentialNames";
                problems.Add(Problem.At(
                    chain.Server.Gateway, $"{chain.Server.FieldPath}.tls.{field}", ProblemSeverity.Warning,
                    e.IsMissing ? ProblemCodes.DanglingReference : ProblemCodes.InvalidValue, $"{e.Message}; TLS handshakes with this server fail"));
            }
        }

        _servers = servers.ToFrozenDictionary((IEqualityComparer<TlsChain>)ReferenceEqualityComparer.Instance);
    }

    /// <summary>Loads the certificates of every chain that terminates TLS.</summary>
    /// <param name="routing">The listeners.</param>
    /// <param name="resources">Holds the Secrets.</param>
    /// <param name="ns">The gateway's own namespace, the only one in which Secrets are looked up.</param>
    /// <param name="cache">Certificates of the configuration before.</param>
    /// <param name="problems">Receives what cannot be had.</param>
    public static TlsTable Compile(RoutingSnapshot routing, ResourceSet resources, string ns, TlsCertificateCache cache, ICollection<Problem> problems) =>
        new(routing.Listeners.SelectMany(l => l.TlsChains).Where(c => c.Treatment != TlsTreatment.PassThrough), resources, ns, cache, problems);

    /// <summary>The server of a chain; <see langword="null"/> when its certificate could not be had.</summary>
    public TlsServer? Find(TlsChain chain) => Volatile.Read(ref _servers).GetValueOrDefault(chain)?.Server;

    /// <summary>Reads again what came from files that have changed. What cannot be read keeps what was: a rotation replaces one file after the other.</summary>
    /// <returns>What went wrong.</returns>
    public IReadOnlyList<string> RefreshFiles()
    {
        Dictionary<TlsChain, Entry>? renewed = null;
        var failures = new List<string>();
        foreach (var (chain, entry) in _servers)
        {
            if (entry.Files.All(IsUnchanged))
            {
                continue;
            }

            try
            {
                (renewed ??= new(_servers, ReferenceEqualityComparer.Instance))[chain] = Load(chain);
            }
            catch (TlsCredentialException e)
            {
                failures.Add($"{chain.Server.Gateway.Id} {chain.Server.FieldPath}: {e.Message}; the certificate of before stays");
            }
        }

        if (renewed is not null)
        {
            Volatile.Write(ref _servers, renewed.ToFrozenDictionary((IEqualityComparer<TlsChain>)ReferenceEqualityComparer.Instance));
        }

        return failures;
    }

    /// <summary>A file that is away for a moment, as in a rotation, has changed: reading it says what is wrong.</summary>
    private static bool IsUnchanged((string Path, FileStamp Stamp) file)
    {
        try
        {
            return file.Stamp == FileStamp.Of(file.Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private Entry Load(TlsChain chain)
    {
        var credentials = TlsCredentials.Find(chain.Settings, _secrets, _namespace);
        var verifier = credentials.Authorities is null ? null : Verifier(chain.Settings, credentials);
        var certificates = credentials.Pairs.Select(p => _cache.Get(p.Certificate, p.Key, verifier?.Authorities)).ToImmutableArray();
        var server = new TlsServer(chain, certificates, verifier, ClientPolicy(chain.Settings, credentials))
        {
            OwnUris = ClientNames.Of(certificates[0].TargetCertificate).UriNames,
        };
        return new(server, credentials.Files);
    }

    private static ClientVerifier Verifier(ServerTlsSettings settings, TlsCredentials credentials)
    {
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPem(Encoding.ASCII.GetString(credentials.Authorities!));
            if (authorities.Count == 0)
            {
                throw new TlsCredentialException("the client CA holds no certificate");
            }

            return new ClientVerifier(settings, authorities, credentials.Revocations is { } lists ? RevocationList.ReadPem(lists) : null);
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            throw new TlsCredentialException($"the client CA or its revocation list cannot be used: {e.Message}");
        }
    }

    private static string ClientPolicy(ServerTlsSettings settings, TlsCredentials credentials)
    {
        var text = string.Join('\n', [settings.Mode.ToString(), .. settings.SubjectAltNames, "-", .. settings.VerifyCertificateSpki, "-", .. settings.VerifyCertificateHash]);
        return text + Convert.ToHexString(SHA256.HashData(credentials.Authorities ?? [])) + Convert.ToHexString(SHA256.HashData(credentials.Revocations ?? []));
    }

    private sealed record Entry(TlsServer Server, ImmutableArray<(string Path, FileStamp Stamp)> Files);
}
