using Microsoft.Extensions.Time.Testing;
using Portcullis.Gateway.Forwarding;
using Portcullis.Routing;

namespace Portcullis.Gateway.Tests.Forwarding;

/// <summary>Outlier detection by a clock that the test moves (routing.md §4.5).</summary>
public sealed class OutlierDetectorTests
{
    private static readonly OutlierPolicy Policy = new() { Consecutive5xxErrors = 3, MaxEjectionPercent = 100 };

    private readonly FakeTimeProvider _time = new();
    private readonly UpstreamEndpoint[] _endpoints = [new("a"), new("b"), new("c")];
    private readonly UpstreamClusterState _state;

    public OutlierDetectorTests() => _state = new(_time);

    private UpstreamEndpoint A => _endpoints[0];

    [Fact]
    public void ErrorsInARow_Eject_AndASuccessBetweenThemDoesNot()
    {
        Report(Policy, OutlierSignal.ServerError, OutlierSignal.GatewayError, OutlierSignal.Success, OutlierSignal.ServerError, OutlierSignal.LocalOriginFailure);
        Assert.False(IsEjected(A));

        Report(Policy, OutlierSignal.ServerError);
        Assert.True(IsEjected(A));
    }

    [Fact]
    public void Ejection_LastsTheBaseTimeTimesItsCount_AndCalmTakesItBack()
    {
        Eject();
        Assert.Equal(30, SecondsUntilBack());
        Eject();
        Assert.Equal(60, SecondsUntilBack());
        Eject();
        Assert.Equal(90, SecondsUntilBack());

        _time.Advance(TimeSpan.FromSeconds(20));
        Eject();
        Assert.Equal(60, SecondsUntilBack());
    }

    [Fact]
    public void Ejection_IsNeverLongerThanFiveMinutes()
    {
        for (var i = 0; i < 15; i++)
        {
            Eject();
            Assert.InRange(SecondsUntilBack(), 30, 300);
        }
    }

    [Theory]
    [InlineData(10, 0)]
    [InlineData(34, 1)]
    [InlineData(67, 2)]
    [InlineData(100, 3)]
    public void MaxEjectionPercent_IsNeverExceeded(int percent, int ejected)
    {
        foreach (var endpoint in _endpoints)
        {
            Cluster(Policy with { Consecutive5xxErrors = 1, MaxEjectionPercent = percent }).Report(endpoint, OutlierSignal.ServerError);
        }

        Assert.Equal(ejected, _endpoints.Count(IsEjected));
    }

    [Fact]
    public void EverythingEjected_IsNoEndpoint_UnlessTheHealthLimitSaysToUseAll()
    {
        var policy = Policy with { Consecutive5xxErrors = 1 };
        foreach (var endpoint in _endpoints)
        {
            Cluster(policy).Report(endpoint, OutlierSignal.ServerError);
        }

        Assert.Null(Cluster(policy).Pick());
        Assert.NotNull(Cluster(policy with { MinHealthPercent = 50 }).Pick());
    }

    [Fact]
    public void GatewayErrors_CountByThemselves_WhenALimitIsSet()
    {
        var policy = Policy with { Consecutive5xxErrors = 0, ConsecutiveGatewayErrors = 2 };
        Report(policy, OutlierSignal.GatewayError, OutlierSignal.ServerError, OutlierSignal.GatewayError);
        Assert.False(IsEjected(A));

        Report(policy, OutlierSignal.GatewayError);
        Assert.True(IsEjected(A));
    }

    [Fact]
    public void LocalFailures_CountByThemselves_WhenSplit()
    {
        var policy = Policy with { SplitExternalLocalOriginErrors = true, ConsecutiveLocalOriginFailures = 4 };
        Report(policy, OutlierSignal.LocalOriginFailure, OutlierSignal.LocalOriginFailure, OutlierSignal.LocalOriginFailure);
        Assert.False(IsEjected(A));

        Report(policy, OutlierSignal.LocalOriginFailure);
        Assert.True(IsEjected(A));
    }

    private void Report(OutlierPolicy policy, params OutlierSignal[] signals)
    {
        foreach (var signal in signals)
        {
            Cluster(policy).Report(A, signal);
        }
    }

    private void Eject() => Report(Policy, OutlierSignal.ServerError, OutlierSignal.ServerError, OutlierSignal.ServerError);

    private int SecondsUntilBack()
    {
        var seconds = 0;
        for (; IsEjected(A); seconds++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        return seconds;
    }

    private bool IsEjected(UpstreamEndpoint endpoint) => endpoint.Outlier.EjectedUntil > _time.GetTimestamp();

    private UpstreamCluster Cluster(OutlierPolicy policy) => new(_endpoints, [1, 1, 1], new ClusterPolicy { OutlierDetection = policy }, _state);
}
