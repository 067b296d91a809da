using System.Diagnostics;

namespace Portcullis.FunctionalTests.Support;

/// <summary>OpenSSL's client, where it is installed: a peer that nobody here wrote.</summary>
internal static class OpenSsl
{
    public const string Absent = "openssl is not installed";

    public static bool IsPresent { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(p => File.Exists(Path.Combine(p, "openssl")));

    /// <summary>What <c>openssl s_client</c> prints of a connection that ends at once.</summary>
    public static async Task<string> ClientAsync(int port, params string[] arguments)
    {
        var start = new ProcessStartInfo("openssl", ["s_client", "-connect", $"127.0.0.1:{port}", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var texts = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        return string.Concat(await texts.WaitAsync(PortcullisProcess.Patience));
    }
}
