using Portcullis.Gateway.Limits;

namespace Portcullis.Gateway.Tests.Limits;

public sealed class LimitSettingsTests
{
    [Fact]
    public void Settings_OverTheDefaults_ChangeWhatTheyName()
    {
        Assert.True(LimitSettings.TryParse(["request-body-bytes=1000", "idle-timeout=1m30s", "request-body-bytes=2000"], out var limits, out _));

        Assert.Equal(new GatewayLimits { RequestBodyBytes = 2000, IdleTimeout = TimeSpan.FromSeconds(90) }, limits);
    }

    [Theory]
    [InlineData("connections")]
    [InlineData("bodies=1")]
    [InlineData("connections=0")]
    [InlineData("connections=-1")]
    [InlineData("connections=1e3")]
    [InlineData("request-headers-bytes=2000000")]
    [InlineData("idle-timeout=90")]
    [InlineData("stall-timeout=1s")]
    [InlineData("memory-percent=101")]
    [InlineData("=")]
    public void Setting_ThatCannotBeRead_IsAnErrorThatNamesIt(string text)
    {
        Assert.False(LimitSettings.TryParse([text], out _, out var error));
        Assert.Contains(text.Split('=')[^1], error, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryName_IsOnTheReferencePageAndNoOtherIs()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Portcullis.slnx")))
        {
            folder = folder.Parent!;
        }

        var page = File.ReadLines(Path.Combine(folder.FullName, "docs", "reference", "limits.md"))
            .Where(l => l.StartsWith("| `", StringComparison.Ordinal))
            .Select(l => l.Split('`')[1])
            .Where(n => n.Contains('-', StringComparison.Ordinal) || n == "connections");

        Assert.Equal(LimitSettings.Names.Order(), page.Order());
    }

    [Theory]
    [InlineData("Max open files            1024                 524288               files     ", 384)]
    [InlineData("Max cpu time              unlimited            unlimited            seconds\nMax open files            1048576              1048576              files", 500_000)]
    [InlineData("Max open files            300                  300                  files", 256)]
    [InlineData("Max open files            unlimited            unlimited            files", 500_000)]
    [InlineData("", 500_000)]
    public void Connections_ByDefault_AreHalfOfTheFilesThatMayBeOpen(string limits, int expected) => Assert.Equal(expected, FileDescriptors.Connections(limits));
}
