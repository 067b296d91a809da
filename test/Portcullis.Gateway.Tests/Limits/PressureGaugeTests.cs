using Portcullis.Gateway.Limits;

namespace Portcullis.Gateway.Tests.Limits;

public sealed class PressureGaugeTests
{
    private readonly PressureGauge _gauge = new(new GatewayLimits { QueueDelay = TimeSpan.FromSeconds(1), MemoryPercent = 90 });

    [Fact]
    public void QueueDelay_AboveTheLimit_ShedsUntilItIsHalfOfIt()
    {
        Assert.Equal(ShedReason.None, Judge(1000, 50));
        Assert.Equal(ShedReason.QueueDelay, Judge(1001, 50));
        Assert.Equal(ShedReason.QueueDelay, Judge(501, 50));
        Assert.Equal(ShedReason.None, Judge(500, 50));
        Assert.Equal(ShedReason.None, Judge(501, 50));
    }

    [Fact]
    public void Memory_AtTheLimit_ShedsUntilItIsClearlyBelow()
    {
        Assert.Equal(ShedReason.None, Judge(0, 89));
        Assert.Equal(ShedReason.Memory, Judge(0, 90));
        Assert.Equal(ShedReason.Memory, Judge(0, 85));
        Assert.Equal(ShedReason.None, Judge(0, 84));
        Assert.Equal(ShedReason.None, Judge(0, 89));
    }

    [Fact]
    public void Memory_OfUnknownSize_IsNeverShort() => Assert.Equal(ShedReason.None, _gauge.Judge(TimeSpan.Zero, long.MaxValue, 0));

    [Fact]
    public void Gauge_WithBothSwitchedOff_NeverSheds()
    {
        var gauge = new PressureGauge(new GatewayLimits { QueueDelay = TimeSpan.Zero, MemoryPercent = 0 });

        Assert.Equal(ShedReason.None, gauge.Judge(TimeSpan.MaxValue, 100, 100));
    }

    private ShedReason Judge(int delay, long percent) => _gauge.Judge(TimeSpan.FromMilliseconds(delay), percent * 1000, 100_000);
}
