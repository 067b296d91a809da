namespace Portcullis.FunctionalTests.Support;

/// <summary>It is always the same time, while timers run as they do.</summary>
internal sealed class FixedClock(DateTimeOffset now) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => now;
}
