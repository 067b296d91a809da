using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Portcullis.Commands;

namespace Portcullis.FunctionalTests.Commands;

/// <summary>The key, token and signature commands as a user types them, in a folder of their own.</summary>
public sealed class JoseCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("portcullis-jose-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void JwtSign_WithACount_PrintsAsManyTokensThatAllVerifyAndAllDiffer()
    {
        var jwks = Write("keys.jwks", Run("jwk", "generate", "--alg", "ES256", "--jwks", "--out", At("many.jwk")).Output);

        var tokens = Run("jwt", "sign", "--key", At("many.jwk"), "--claim", "iss=a", "--count", "3").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(3, tokens.Distinct().Count());
        Assert.All(tokens, token => Assert.Equal(0, Run("jwt", "verify", "--jwks", jwks, token.Trim()).Code));
        Assert.Contains("--count", Run("jwt", "sign", "--key", At("many.jwk"), "--count", "0").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void JwtVerify_OfATokenMadeWithAGeneratedKey_IsValid()
    {
        var jwks = Write("jwks.json", Run("jwk", "generate", "--alg", "ES256", "--out", At("private.jwk"), "--jwks").Output);
        var token = Run("jwt", "sign", "--key", At("private.jwk"), "--claim", "iss=testing@asm.test.io", "--claim", "sub=demo@asm.test.io", "--expires-in", "1h").Output;

        var verified = Run("jwt", "verify", "--jwks", jwks, "--issuer", "testing@asm.test.io", token);
        var other = Run("jwt", "verify", "--jwks", jwks, "--issuer", "someone else", "--output", "json", token);

        Assert.Equal((0, "valid"), (verified.Code, verified.Output));
        Assert.Equal(1, other.Code);
        Assert.Equal("Jwt issuer is not configured", JsonDocument.Parse(other.Output).RootElement.GetProperty("reason").GetString());
    }

    [Theory]
    [InlineData("invalid: Jwt is expired", "--expires-in=-2m")]
    [InlineData("invalid: Jwt not yet valid", "--not-before=2m")]
    [InlineData("invalid: Audiences in Jwt are not allowed", "--claim=aud=other")]
    [InlineData("invalid: Jwt payload [exp] field is not an integer", "--claim=exp:=\"1\"")]
    [InlineData("invalid: Jwks doesn't have key to match kid or alg from Jwt", "--kid=other", "--claim=aud=api")]
    public void JwtVerify_OfATokenThatFails_NamesTheCheck(string expected, params string[] sign)
    {
        var jwks = Write("jwks.json", Run("jwk", "generate", "--alg", "EdDSA", "--out", At("k.jwk"), "--jwks").Output);
        var token = Run(["jwt", "sign", "--key", At("k.jwk"), .. sign]).Output;

        var result = Run("jwt", "verify", "--jwks", jwks, "--audience", "api", token);

        Assert.Equal((1, expected), (result.Code, result.Output.Split('\n')[0]));
    }

    [Fact]
    public void JwkGenerate_ToAFile_IsForItsOwnerOnlyAndReplacesNothing()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("file modes are Unix's");
            return;
        }

        var first = Run("jwk", "generate", "--alg", "ES256", "--out", At("k.jwk"));
        var again = Run("jwk", "generate", "--alg", "ES256", "--out", At("k.jwk"));
        File.SetUnixFileMode(At("k.jwk"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        var forced = Run("jwk", "generate", "--alg", "ES256", "--out", At("k.jwk"), "--force");

        Assert.DoesNotContain("\"d\"", first.Output, StringComparison.Ordinal);
        Assert.Equal(2, again.Code);
        Assert.Contains("--force", again.Error, StringComparison.Ordinal);
        Assert.Equal(0, forced.Code);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("k.jwk")));
    }

    [Fact]
    public async Task JwkFromPem_OfTheGuidesOpensslKeys_FitsTheTokensSignedWithThem()
    {
        var privatePem = At("rsa-private-key.pem");
        var publicPem = At("rsa-public-key.pem");
        if (!await RunOpenssl("genrsa", "-out", privatePem, "2048"))
        {
            Assert.Skip("openssl is not installed");
        }

        Assert.True(await RunOpenssl("rsa", "-in", privatePem, "-pubout", "-out", publicPem));
        var jwks = Write("jwks.json", Run("jwk", "from-pem", publicPem, "--jwks").Output);
        var token = Run("jwt", "sign", "--key", privatePem, "--claim", "iss=testing@asm.test.io").Output;

        Assert.Equal("valid", Run("jwt", "verify", "--jwks", jwks, token).Output);
        Assert.Equal("""{"iss":"testing@asm.test.io"}""", JsonDocument.Parse(Run("jwt", "decode", "-o", "json", token).Output).RootElement.GetProperty("payload").GetRawText());
        Assert.Equal(await File.ReadAllTextAsync(publicPem, TestContext.Current.CancellationToken), Run("jwk", "to-pem", Write("k.jwk", Run("jwk", "from-pem", publicPem).Output)).Output + "\n");
        Assert.Equal(Run("jwk", "thumbprint", publicPem).Output, Run("jwk", "thumbprint", privatePem).Output);
    }

    [Fact]
    public void JwsVerify_OfABatch_AnswersEveryLine()
    {
        var jwks = Run("jwk", "generate", "--alg", "ES256", "--out", At("k.jwk"), "--jwks").Output;
        var jws = Run("jwt", "sign", "--key", At("k.jwk"), "--payload", "{}").Output;
        var batch = Write("batch.jsonl", $$"""
            {"id":1,"jwks":{{jwks}},"jws":"{{jws}}"}
            {"id":"two","jwks":{{JsonSerializer.Serialize(jwks)}},"jws":"{{jws}}"}
            {"id":3,"jwks":{{jwks}},"jws":"{{jws}}."}
            {"id":4,"jwks":"garbage","jws":"{{jws}}"}
            {"id":5,"jwks":7,"jws":"{{jws}}"}
            {"id":6,"jwks":{{jwks}}}
            {"id":7,"jws":"\ud800"}
            []
            garbage

            {"id":{"a":[8]},"jwks":{{jwks}},"jws":""}
            """);

        var result = Run("jws", "verify", "--batch", batch);
        var answers = result.Output.Split('\n').Select(l => JsonDocument.Parse(l).RootElement).ToArray();

        Assert.Equal(0, result.Code);
        Assert.Equal(10, answers.Length);
        Assert.Equal(["1", "\"two\""], answers.Where(a => a.GetProperty("valid").GetBoolean()).Select(a => a.GetProperty("id").GetRawText()));
        Assert.All(answers, a => Assert.NotEmpty(a.GetProperty("reason").GetString()!));
    }

    [Theory]
    [InlineData("--alg", "jwk", "generate", "--alg", "none")]
    [InlineData("--bits", "jwk", "generate", "--bits", "1024")]
    [InlineData("--out", "jwk", "generate", "--jwks")]
    [InlineData("cannot read", "jwk", "from-pem", "/nowhere/x.pem")]
    [InlineData("--key", "jwt", "sign", "--claim", "iss=me")]
    [InlineData("--jwks", "jwt", "verify", "a.b.c")]
    [InlineData("--jwks", "jws", "verify", "a.b.c")]
    [InlineData("cannot read", "jws", "verify", "--batch", "/nowhere/x.jsonl")]
    [InlineData("--expires-in", "jwt", "sign", "--key", "k", "--expires-in", "soon")]
    [InlineData("--at", "jwt", "verify", "--jwks", "k", "--at", "soon", "a.b.c")]
    public void Run_WithWrongUsage_NamesTheOptionAndEndsWithTwo(string expected, params string[] arguments)
    {
        var result = Run(arguments);

        Assert.Equal(2, result.Code);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Executable_WithATokenOnStandardInput_VerifiesIt()
    {
        var jwks = Write("jwks.json", Run("jwk", "generate", "--alg", "ES256", "--out", At("k.jwk"), "--jwks").Output);
        var token = Run("jwt", "sign", "--key", At("k.jwk"), "--payload", "{}").Output;

        var good = await Execute(token, "jwt", "verify", "--jwks", jwks, "-");
        var bad = await Execute(token + ".", "jwt", "verify", "--jwks", jwks, "-");
        var usage = await Execute("", "jwt", "verify", "--nonsense");

        Assert.Equal((0, 1, 2), (good, bad, usage));
    }

    private static async Task<int> Execute(string input, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "portcullis"), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteLineAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return process.ExitCode;
    }

    private static async Task<bool> RunOpenssl(params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("openssl", arguments) { RedirectStandardError = true })!;
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var root = new RootCommand { JwkCommand.Create(), JwtCommand.Create(), JwsCommand.Create() };
        var result = root.Parse(arguments);
        var code = result.Invoke(new InvocationConfiguration { Output = output, Error = error });
        return (result.Errors.Count == 0 ? code : 2, output.ToString().TrimEnd(), error.ToString());
    }

    private string At(string name) => Path.Combine(_folder, name);

    private string Write(string name, string text)
    {
        File.WriteAllText(At(name), text);
        return At(name);
    }
}
