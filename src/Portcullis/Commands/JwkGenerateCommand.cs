using System.CommandLine;
using Portcullis.Jose;

namespace Portcullis.Commands;

/// <summary><c>portcullis jwk generate</c>.</summary>
internal static class JwkGenerateCommand
{
    public static Command Create()
    {
        var algorithm = JoseOptions.Algorithm("Algorithm to sign with; RS256 by default.");
        var bits = new Option<int>("--bits") { Description = "Size of an RSA key: 2048, 3072 or 4096.", DefaultValueFactory = _ => 2048 };
        bits.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is not (2048 or 3072 or 4096))
            {
                result.AddError("--bits: an RSA key has 2048, 3072 or 4096 bits");
            }
        });
        var keyId = new Option<string?>("--kid", "-k") { Description = "Key id; by default the thumbprint (RFC 7638)." };
        var format = new Option<string>("--format") { Description = "jwk or pem.", HelpName = "jwk|pem", DefaultValueFactory = _ => "jwk" };
        format.AcceptOnlyFromAmong("jwk", "pem");
        var file = new Option<string?>("--out") { Description = "File for the private key, mode 0600. Then the public half goes to standard output." };
        var asSet = new Option<bool>("--jwks") { Description = "Print the public half as a key set, {\"keys\":[…]}. Needs --out." };
        var force = new Option<bool>("--force") { Description = "Replace the file if it exists." };
        var command = new Command("generate", """
            Make a new key. The private key goes to --out, or to standard output if there is none.

            Examples:
              portcullis jwk generate --out private.jwk --jwks > jwks.json
              portcullis jwk generate --alg ES256 --kid key-2024 --format pem --out private.pem
              portcullis jwk generate --alg EdDSA
            """)
        {
            algorithm, bits, keyId, format, file, asSet, force,
        };
        JoseOptions.SetRun(command, "jwk generate", result =>
        {
            var alg = result.GetValue(algorithm) ?? JwsAlgorithm.RS256;
            var path = result.GetValue(file);
            var isPem = result.GetValue(format) == "pem";
            var isHmac = alg is JwsAlgorithm.HS256 or JwsAlgorithm.HS384 or JwsAlgorithm.HS512;
            if (isPem && isHmac)
            {
                throw new InputException($"--format: a shared secret ({alg.Name}) has no PEM form; use jwk");
            }

            if (result.GetValue(asSet) && (path is null || isHmac))
            {
                throw new InputException(isHmac ? "--jwks: a shared secret has no public half to publish" : "--jwks: needs --out FILE for the private key");
            }

            var key = JsonWebKey.Generate(alg, result.GetValue(keyId), result.GetValue(bits));
            var secret = isPem ? key.ToPem(includePrivate: true)! : key.ToJson(includePrivate: true);
            var output = result.InvocationConfiguration.Output;
            if (path is null)
            {
                output.WriteLine(secret);
                return ExitCode.Good;
            }

            PrivateFile.Write(path, secret + "\n", result.GetValue(force));
            if (key.ToPublic() is { } published)
            {
                output.WriteLine(
                    result.GetValue(asSet) ? $"{{\"keys\":[{published.ToJson()}]}}" : isPem ? published.ToPem() : published.ToJson());
            }

            return ExitCode.Good;
        });
        return command;
    }
}
