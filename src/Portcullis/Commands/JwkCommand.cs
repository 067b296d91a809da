using System.CommandLine;
using Portcullis.Jose;

namespace Portcullis.Commands;

/// <summary><c>portcullis jwk</c>: makes keys, and turns them from PEM into JWK and back.</summary>
internal static class JwkCommand
{
    public static Command Create() => new("jwk", "Make JSON Web Keys, convert them from and to PEM, and name them by their thumbprint.")
    {
        JwkGenerateCommand.Create(),
        CreateFromPem(),
        CreateToPem(),
        CreateThumbprint(),
    };

    private static Command CreateFromPem()
    {
        var file = new Argument<string>("file") { Description = "PEM file; - reads standard input." };
        var keyId = new Option<string?>("--kid", "-k") { Description = "Key id; by default the thumbprint (RFC 7638)." };
        var algorithm = JoseOptions.Algorithm("Algorithm that the key is for; by default it is left open.");
        var use = new Option<string?>("--use") { Description = "What the key is for: sig or enc; by default it is left open." };
        use.AcceptOnlyFromAmong("sig", "enc");
        var isPrivate = new Option<bool>("--private") { Description = "Keep the private half of a private key. Without it only the public half is printed." };
        var asSet = new Option<bool>("--jwks") { Description = "Print a key set, {\"keys\":[…]}, as jwtRules[].jwks takes it." };
        var command = new Command("from-pem", """
            Print the JWK of a key in PEM: public or private, PKCS#1, PKCS#8, SPKI, SEC 1, or an X.509 certificate.

            Examples:
              openssl genrsa -out rsa-private-key.pem 2048
              openssl rsa -in rsa-private-key.pem -pubout -out rsa-public-key.pem
              portcullis jwk from-pem rsa-public-key.pem
              portcullis jwk from-pem rsa-public-key.pem --jwks --kid key-2024 --alg RS256
            """)
        {
            file, keyId, algorithm, use, isPrivate, asSet,
        };
        JoseOptions.SetRun(command, "jwk from-pem", result =>
        {
            var path = result.GetValue(file)!;
            var text = InputText.ReadFile(path);
            if (!JsonWebKey.TryFromPem(text, out var key, out var error))
            {
                throw new InputException($"`{path}`: {error}");
            }

            if (result.GetValue(isPrivate) && !key!.HasPrivateKey)
            {
                throw new InputException($"`{path}` has no private half: leave out --private");
            }

            if (result.GetValue(algorithm) is { } alg && !key!.Supports(alg))
            {
                throw new InputException($"--alg: {alg.Name} is not an algorithm of this key; {key!.DefaultAlgorithm.Name} is");
            }

            key = key!.With(result.GetValue(keyId) ?? key.Thumbprint(), result.GetValue(algorithm)?.Name, result.GetValue(use));
            var json = key.ToJson(result.GetValue(isPrivate));
            result.InvocationConfiguration.Output.WriteLine(result.GetValue(asSet) ? $"{{\"keys\":[{json}]}}" : json);
            return ExitCode.Good;
        });
        return command;
    }

    private static Command CreateToPem()
    {
        var file = new Argument<string>("file") { Description = "JWK file; - reads standard input." };
        var isPrivate = new Option<bool>("--private") { Description = "Print the private half (PKCS#8). Without it the public half (SPKI)." };
        var command = new Command("to-pem", """
            Print the PEM of a JWK.

            Examples:
              portcullis jwk to-pem key.jwk
              portcullis jwk generate --alg ES256 | portcullis jwk to-pem - --private
            """)
        {
            file, isPrivate,
        };
        JoseOptions.SetRun(command, "jwk to-pem", result =>
        {
            var path = result.GetValue(file)!;
            var key = InputText.ReadKey(path);
            if (key.KeyType == JwkKeyType.Oct)
            {
                throw new InputException($"`{path}` is a shared secret (oct), which has no PEM form");
            }

            if (result.GetValue(isPrivate) && !key.HasPrivateKey)
            {
                throw new InputException($"`{path}` has no private half: leave out --private");
            }

            result.InvocationConfiguration.Output.WriteLine(key.ToPem(result.GetValue(isPrivate)));
            return ExitCode.Good;
        });
        return command;
    }

    private static Command CreateThumbprint()
    {
        var file = new Argument<string>("file") { Description = "JWK or PEM file; - reads standard input." };
        var output = JoseOptions.Output();
        var command = new Command("thumbprint", """
            Print the SHA-256 thumbprint of a key (RFC 7638), the same for its private and its public half.

            Example:
              portcullis jwk thumbprint rsa-public-key.pem
            """)
        {
            file, output,
        };
        JoseOptions.SetRun(command, "jwk thumbprint", result =>
        {
            var thumbprint = InputText.ReadKey(result.GetValue(file)!).Thumbprint();
            result.InvocationConfiguration.Output.WriteLine(
                result.GetValue(output) == "json" ? $"{{\"thumbprint\":\"{thumbprint}\"}}" : thumbprint);
            return ExitCode.Good;
        });
        return command;
    }
}
