using Portcullis.Gateway.Forwarding.Http1;

namespace Portcullis.Gateway.Tests.Forwarding.Http1;

public sealed class HeaderMemoTests
{
    [Fact]
    public void Line_SeenBefore_AllocatesNothing()
    {
        var memo = new HeaderMemo();
        memo.Line("content-type"u8, "text/plain"u8);
        memo.Line("x-other"u8, "\u00fc"u8);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var line = memo.Line("content-type"u8, "text/plain"u8);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(("Content-Type", "text/plain"), (line.Name, line.Value));
    }

    [Fact]
    public void Line_ManyNamesInTheSamePlaces_AreNeverMixedUp()
    {
        var memo = new HeaderMemo();
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 300; i++)
            {
                var (name, value) = ($"x-{i}", i % 3 == 0 ? "same" : $"{i} {round} \u00e9");
                var line = memo.Line(System.Text.Encoding.Latin1.GetBytes(name), System.Text.Encoding.Latin1.GetBytes(value));
                Assert.Equal((name, value), (line.Name, line.Value));
            }
        }
    }
}
