using Portcullis.Gateway.Limits;

namespace Portcullis.Gateway.Tests.Limits;

public sealed class PollingDelayTests
{
    [Fact]
    public async Task Measure_TellsADelayOnceTheFirstDatagramsHaveCome()
    {
        using var delay = PollingDelay.TryOpen();
        Assert.NotNull(delay);
        Assert.Equal(TimeSpan.Zero, delay.Measure());

        var measured = TimeSpan.Zero;
        for (var i = 0; i < 10_000 && measured == TimeSpan.Zero; i++)
        {
            measured = delay.Measure();
            await Task.Yield();
        }

        Assert.InRange(measured, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Measure_AfterDispose_DoesNotThrow()
    {
        var delay = PollingDelay.TryOpen();
        Assert.NotNull(delay);
        delay.Dispose();

        Assert.Equal(TimeSpan.Zero, delay.Measure());
    }
}
