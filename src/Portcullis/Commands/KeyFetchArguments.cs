using System.CommandLine;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Portcullis.Gateway.Jwks;

namespace Portcullis.Commands;

/// <summary>The options that say how remote key sets are fetched and how many verified tokens are remembered.</summary>
internal sealed class KeyFetchArguments
{
    private readonly Option<string?> _state = new("--state-dir")
    {
        Description = "Folder in which fetched key sets survive a restart. Default: none are kept.",
        HelpName = "FOLDER",
    };

    private readonly Option<string?> _authorities = new("--jwks-ca")
    {
        Description = "PEM file with certificate authorities trusted besides the system's, for every key server. Default: none.",
        HelpName = "FILE",
    };

    private readonly Option<string[]> _blocked = new("--jwks-block")
    {
        Description = "Network that key fetches never connect to, besides link-local and cloud metadata addresses; repeatable.",
        HelpName = "CIDR",
    };

    private readonly Option<bool> _allowPrivate = new("--jwks-allow-private")
    {
        Description = "Whether key servers may have loopback and private addresses.",
        DefaultValueFactory = _ => true,
    };

    private readonly Option<string> _keep = new("--jwks-keep")
    {
        Description = "How long keys stay in use after their last successful fetch, as a Go duration.",
        HelpName = "DURATION",
        DefaultValueFactory = _ => "168h",
    };

    private readonly Option<int> _cache = new("--token-cache-mib")
    {
        Description = "Memory for the cache of verified tokens, in MiB; 0 verifies every token anew.",
        HelpName = "MIB",
        DefaultValueFactory = _ => 64,
    };

    /// <summary>Adds all of them to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _state, _authorities, _blocked, _allowPrivate, _keep, _cache })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Bound of the token cache, in bytes.</summary>
    public long TokenCacheBytes(ParseResult result) => Math.Max(0, result.GetValue(_cache)) * 1024L * 1024;

    /// <summary>Reads the options and the environment.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="options">What to fetch by.</param>
    /// <param name="warning">What is wrong with the environment; the default counts then.</param>
    /// <param name="error">What is wrong with the options, for the operator.</param>
    public bool TryRead(ParseResult result, out JwksFetchOptions options, out string? warning, out string error)
    {
        options = JwksFetchOptions.FromEnvironment(Environment.GetEnvironmentVariable, out warning);
        error = "";
        var keep = result.GetRequiredValue(_keep);
        if (!GoDuration.TryParse(keep, out var keepKeys))
        {
            error = $"--jwks-keep: `{keep}` is not a duration; write it as 168h or 30m";
            return false;
        }

        var blocked = new List<IPNetwork>();
        foreach (var text in result.GetValue(_blocked) ?? [])
        {
            if (!IPNetwork.TryParse(text, out var network))
            {
                error = $"--jwks-block: `{text}` is not a network; write it as 10.0.0.0/8 or fd00::/8";
                return false;
            }

            blocked.Add(network);
        }

        var authorities = new X509Certificate2Collection();
        if (result.GetValue(_authorities) is { } file && !TryImport(authorities, file, out error))
        {
            return false;
        }

        options = options with
        {
            StateDirectory = result.GetValue(_state),
            KeepKeys = keepKeys,
            BlockedNetworks = [.. blocked],
            AllowPrivateAddresses = result.GetValue(_allowPrivate),
            ExtraAuthorities = [.. authorities],
        };
        return true;
    }

    private static bool TryImport(X509Certificate2Collection authorities, string file, out string error)
    {
        error = "";
        try
        {
            authorities.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            error = $"--jwks-ca: {e.Message}";
            return false;
        }

        if (authorities.Count == 0)
        {
            error = $"--jwks-ca: `{file}` holds no certificate in PEM";
        }

        return authorities.Count > 0;
    }
}
