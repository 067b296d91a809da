using Portcullis.Gateway.ExternalAuthorization;

namespace Portcullis.Gateway.Tests.ExternalAuthorization;

public sealed class ReplayStreamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public async Task Read_GivesWhatWasReadAndThenTheRest(int size)
    {
        await using var stream = new ReplayStream("hello, "u8.ToArray(), new MemoryStream("world"u8.ToArray()));
        using var all = new MemoryStream();
        var buffer = new byte[size];

        while (await stream.ReadAsync(buffer, TestContext.Current.CancellationToken) is > 0 and var read)
        {
            all.Write(buffer, 0, read);
        }

        Assert.Equal("hello, world"u8.ToArray(), all.ToArray());
    }

    [Fact]
    public void Read_Synchronously_GivesTheSame()
    {
        using var stream = new ReplayStream("ab"u8.ToArray(), new MemoryStream("c"u8.ToArray()));
        using var all = new MemoryStream();

        stream.CopyTo(all);

        Assert.Equal("abc"u8.ToArray(), all.ToArray());
    }
}
