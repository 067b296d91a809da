using Portcullis.Gateway.Forwarding;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.Tests.Forwarding;

public sealed class RetryBudgetTests
{
    [Theory]
    [InlineData(0, 3)]
    [InlineData(10, 3)]
    [InlineData(50, 10)]
    public async Task Retries_AreAShareOfWhatIsInFlight_ButAlwaysAFew(int requests, int expected)
    {
        var breaker = new CircuitBreaker();
        var limits = new ConnectionPoolLimits { MaxRetries = 1, RetryBudget = new RetryBudget() };
        for (var i = 0; i < requests; i++)
        {
            Assert.True(await breaker.EnterAsync(limits, isHttp1: false, TestContext.Current.CancellationToken));
        }

        var admitted = 0;
        while (breaker.TryBeginRetry(limits))
        {
            admitted++;
        }

        Assert.Equal(expected, admitted);
    }
}
