using System.Reflection;
using Portcullis.Commands;
using Portcullis.Jose;

namespace Portcullis.Demo;

/// <summary>
/// The folder that <c>demo</c> works in: the guide's resources with a key pair of its own. Made once; what the user edits stays.
/// </summary>
internal sealed class DemoWorkspace
{
    /// <summary>The key pair is fresh for every folder: a key that ships with a program is a key that everybody has.</summary>
    private const string KeyId = "demo";
    private const string ResourcePrefix = "guide/";
    private const string EndpointsFile = "endpoints.yaml";

    private DemoWorkspace(string folder, JsonWebKey key) => (Folder, Key) = (folder, key);

    public string Folder { get; }

    /// <summary>Private key that the tokens are signed with.</summary>
    public JsonWebKey Key { get; }

    public string ConfigFolder => Path.Combine(Folder, "config");

    public string MeshConfigFile => Path.Combine(Folder, "mesh-config.yaml");

    public string TokensFile => Path.Combine(Folder, "tokens.env");

    /// <summary>Opens the folder, or makes it from the embedded sample.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="InvalidDataException">Its key cannot be read.</exception>
    public static DemoWorkspace Open(string folder, int httpBinPort)
    {
        var keyFile = Path.Combine(folder, "keys", "rsa-private-key.pem");
        if (File.Exists(keyFile))
        {
            if (!JsonWebKey.TryFromPem(File.ReadAllText(keyFile), out var existing, out var error))
            {
                throw new InvalidDataException($"{keyFile}: {error}; delete the folder {folder} to start afresh");
            }

            // The only file that follows the command line rather than the user.
            Extract(folder, name => name.EndsWith(EndpointsFile, StringComparison.Ordinal), existing!, httpBinPort);
            return new DemoWorkspace(folder, existing!.With(keyId: KeyId));
        }

        var key = JsonWebKey.Generate(JwsAlgorithm.RS256, KeyId);
        Extract(folder, static _ => true, key, httpBinPort);
        Directory.CreateDirectory(Path.GetDirectoryName(keyFile)!);
        PrivateFile.Write(Path.Combine(folder, "keys", "rsa-public-key.pem"), key.ToPem()!, overwrite: true);
        // Last, as its presence says that the folder is complete.
        PrivateFile.Write(keyFile, key.ToPem(includePrivate: true)!, overwrite: true);
        return new DemoWorkspace(folder, key);
    }

    private static void Extract(string folder, Func<string, bool> wanted, JsonWebKey key, int httpBinPort)
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(ResourcePrefix, StringComparison.Ordinal) && wanted(n)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            var target = Path.Combine(folder, name[ResourcePrefix.Length..].Replace('\\', '/'));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.WriteAllText(target, Adapt(Path.GetFileName(target), reader.ReadToEnd(), key, httpBinPort));
        }
    }

    private static string Adapt(string fileName, string text, JsonWebKey key, int httpBinPort) => fileName switch
    {
        "request-authentication.yaml" => $$"""
            # The guide's RequestAuthentication with the public half of keys/rsa-private-key.pem.
            apiVersion: security.istio.io/v1beta1
            kind: RequestAuthentication
            metadata:
              name: jwt
              namespace: istio-system
            spec:
              selector:
                matchLabels:
                  istio: ingressgateway
              jwtRules:
                - issuer: {{DemoTokens.Issuer}}
                  jwks: '{"keys":[{{key.ToPublic()!.ToJson()}}]}'

            """,
        EndpointsFile => text.Replace("port: 8000", $"port: {httpBinPort}", StringComparison.Ordinal),
        _ => text,
    };
}
