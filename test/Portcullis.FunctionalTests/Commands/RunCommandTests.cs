using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Portcullis.Commands;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Commands;

/// <summary>The options of <c>run</c> that say how keys are fetched: what they mean, and what a wrong one says.</summary>
public sealed class RunCommandTests
{
    [Theory]
    [InlineData("--jwks-keep", "7 days", "--jwks-keep: `7 days` is not a duration; write it as 168h or 30m")]
    [InlineData("--jwks-block", "10.0.0.0", "--jwks-block: `10.0.0.0` is not a network; write it as 10.0.0.0/8 or fd00::/8")]
    [InlineData("--jwks-ca", "/nowhere.pem", "--jwks-ca: ")]
    public void KeyFetching_WithAnOptionThatIsWrong_SaysWhatToWrite(string option, string value, string expected)
    {
        var (_, error) = Read(option, value);

        Assert.StartsWith(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void KeyFetching_WithAFileThatHoldsNoCertificate_IsRefused()
    {
        using var folder = new TemporaryFolder();

        var (_, error) = Read("--jwks-ca", folder.Write("ca.pem", "nothing\n"));

        Assert.EndsWith("holds no certificate in PEM", error, StringComparison.Ordinal);
    }

    [Fact]
    public void KeyFetching_WithAllOptions_HasWhatTheySay()
    {
        using var folder = new TemporaryFolder();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var authority = new CertificateRequest("CN=private", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(TimeProvider.System.GetUtcNow(), TimeProvider.System.GetUtcNow().AddDays(1));

        var (options, error) = Read(
            "--jwks-ca", folder.Write("ca.pem", authority.ExportCertificatePem()), "--jwks-keep", "36h", "--jwks-allow-private", "false",
            "--jwks-block", "10.0.0.0/8", "--jwks-block", "fd00::/8", "--state-dir", folder.Path);

        Assert.Empty(error);
        Assert.Equal("CN=private", Assert.Single(options.ExtraAuthorities).Subject);
        Assert.Equal((TimeSpan.FromHours(36), false, folder.Path), (options.KeepKeys, options.AllowPrivateAddresses, options.StateDirectory));
        Assert.Equal(["10.0.0.0/8", "fd00::/8"], options.BlockedNetworks.Select(n => n.ToString()));
    }

    [Theory]
    [InlineData("0", 0L)]
    [InlineData("-1", 0L)]
    [InlineData("8", 8L * 1024 * 1024)]
    public void TokenCache_IsBoundedInMebibytes(string value, long bytes)
    {
        var (arguments, result) = Parse("--token-cache-mib", value);

        Assert.Equal(bytes, arguments.TokenCacheBytes(result));
    }

    private static (Portcullis.Gateway.Jwks.JwksFetchOptions Options, string Error) Read(params string[] args)
    {
        var (arguments, result) = Parse(args);
        arguments.TryRead(result, out var options, out _, out var error);
        return (options, error);
    }

    private static (KeyFetchArguments Arguments, ParseResult Result) Parse(params string[] args)
    {
        var (arguments, command) = (new KeyFetchArguments(), new Command("run"));
        arguments.AddTo(command);
        return (arguments, command.Parse(args));
    }
}
