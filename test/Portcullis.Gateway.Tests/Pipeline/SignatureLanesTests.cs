using System.Net;
using Microsoft.Extensions.Time.Testing;
using Portcullis.Gateway.Pipeline;
using Portcullis.Policy.Authentication;

namespace Portcullis.Gateway.Tests.Pipeline;

public sealed class SignatureLanesTests : IDisposable
{
    private static readonly IPAddress Mallory = IPAddress.Parse("192.0.2.66");
    private static readonly IPAddress Alice = IPAddress.Parse("192.0.2.1");

    private readonly FakeTimeProvider _time = new();
    private readonly SignatureLanes _lanes;

    public SignatureLanesTests() => _lanes = new SignatureLanes(_time);

    public void Dispose() => _lanes.Dispose();

    [Fact]
    public async Task Choose_OnThePool_Verifies() =>
        Assert.Equal(SignatureChecks.Verify, await Task.Run(() => Choose(Alice), TestContext.Current.CancellationToken));

    [Fact]
    public void Choose_OnAPollingThread_VerifiesUntilATenthOfItsTimeIsSpent() => OnAThreadOfItsOwn(() =>
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(SignatureChecks.Verify, Choose(Alice));
        Verify(TimeSpan.FromMilliseconds(3));
        Assert.Equal(SignatureChecks.RememberedOnly, Choose(Alice));

        _time.Advance(TimeSpan.FromMilliseconds(30));
        Assert.Equal(SignatureChecks.Verify, Choose(Alice));
    });

    [Fact]
    public void Choose_OnAPollingThreadThatWasIdleForLong_HasNoMoreThanTwoMilliseconds() => OnAThreadOfItsOwn(() =>
    {
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(SignatureChecks.Verify, Choose(Alice));
        Verify(TimeSpan.FromMilliseconds(2.5));

        Assert.Equal(SignatureChecks.RememberedOnly, Choose(Alice));
    });

    [Fact]
    public async Task Choose_ForAnAddressWithBadSignaturesByTheHundred_PostponesForThatAddressOnly()
    {
        await Task.Run(() =>
        {
            Flood();

            Assert.Equal(SignatureChecks.RememberedOnly, Choose(Mallory));
            Assert.Equal(SignatureChecks.Verify, Choose(Alice));
        }, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Choose_SomeSecondsAfterTheFlood_VerifiesAgain()
    {
        await Task.Run(() =>
        {
            Flood();
            _time.Advance(TimeSpan.FromSeconds(6));

            Assert.Equal(SignatureChecks.Verify, Choose(Mallory));
        }, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Choose_ForAnAddressThatErrsNowAndThen_Verifies()
    {
        await Task.Run(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                _lanes.NoteBad(Mallory);
                _time.Advance(TimeSpan.FromMilliseconds(100));
            }

            Assert.Equal(SignatureChecks.Verify, Choose(Mallory));
        }, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Choose_ForAnotherAddressOfTheSameIPv6Network_IsTheSame()
    {
        for (var i = 0; i <= SignatureLanes.Tolerated; i++)
        {
            _lanes.NoteBad(IPAddress.Parse($"2001:db8::{i + 1:x}"));
        }

        Assert.Equal(SignatureChecks.RememberedOnly, Choose(IPAddress.Parse("2001:db8::ffff")));
    }

    [Fact]
    public async Task EnterAsync_ForASuspect_WaitsForTheNarrowLane_AndIsTurnedAwayWhenTooManyWait()
    {
        Flood();
        var held = new List<Lane>();
        for (var i = 0; i < Math.Max(1, Environment.ProcessorCount / 4); i++)
        {
            held.Add(await _lanes.EnterAsync(Mallory, TestContext.Current.CancellationToken));
        }

        Assert.All(held, lane => Assert.Equal(Lane.Narrow, lane));
        var waiting = Enumerable.Range(0, SignatureLanes.MaxWaiting).Select(_ => _lanes.EnterAsync(Mallory, TestContext.Current.CancellationToken).AsTask()).ToArray();

        Assert.Equal(Lane.None, await _lanes.EnterAsync(Mallory, TestContext.Current.CancellationToken));
        Assert.Equal(Lane.Wide, await _lanes.EnterAsync(Alice, TestContext.Current.CancellationToken));

        foreach (var lane in held)
        {
            _lanes.Leave(lane);
        }

        foreach (var one in waiting)
        {
            Assert.Equal(Lane.Narrow, await one);
            _lanes.Leave(Lane.Narrow);
        }

        Assert.Equal(Lane.Narrow, await _lanes.EnterAsync(Mallory, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task EnterAsync_ClientLeavesWhileItWaits_MakesRoom()
    {
        Flood();
        for (var i = 0; i < Math.Max(1, Environment.ProcessorCount / 4); i++)
        {
            await _lanes.EnterAsync(Mallory, TestContext.Current.CancellationToken);
        }

        using var leaving = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, SignatureLanes.MaxWaiting).Select(_ => _lanes.EnterAsync(Mallory, leaving.Token).AsTask()).ToArray();
        await leaving.CancelAsync();
        foreach (var one in waiting)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one);
        }

        var next = _lanes.EnterAsync(Mallory, TestContext.Current.CancellationToken).AsTask();
        _lanes.Leave(Lane.Narrow);
        Assert.Equal(Lane.Narrow, await next);
    }

    private SignatureChecks Choose(IPAddress client) => _lanes.Choose(client, _time.GetTimestamp());

    private void Flood()
    {
        for (var i = 0; i <= SignatureLanes.Tolerated; i++)
        {
            _lanes.NoteBad(Mallory);
        }
    }

    private void Verify(TimeSpan cost)
    {
        var begun = _time.GetTimestamp();
        _time.Advance(cost);
        _lanes.Charge(begun);
    }

    /// <summary>Polling threads are none of the pool's.</summary>
    private static void OnAThreadOfItsOwn(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(action));
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }
}
