using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Portcullis.Gateway.Forwarding;

namespace Portcullis.Gateway.Tests.Forwarding;

public sealed class DnsAddressesTests
{
    private static readonly IPAddress First = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress Second = IPAddress.Parse("192.0.2.2");

    private readonly FakeTimeProvider _time = new();
    private readonly TestResolver _resolver = new();

    [Fact]
    public async Task Get_WaitsForTheFirstAnswerAndThenNoMore()
    {
        using var names = Names();
        _resolver.Answer(First);

        Assert.Equal([First], await names.GetAsync("a.example", TestContext.Current.CancellationToken));
        Assert.Equal([First], await names.GetAsync("A.EXAMPLE", new CancellationToken(canceled: true)));
        Assert.Equal(1, _resolver.Calls);
    }

    [Fact]
    public async Task Refresh_ThatFails_KeepsTheLastGoodAddresses()
    {
        using var names = Names();
        _resolver.Answer(First);
        await names.GetAsync("a.example", TestContext.Current.CancellationToken);

        _resolver.Fail();
        await RefreshAsync(2);

        Assert.Equal([First], await names.GetAsync("a.example", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Refresh_WithTheSameAddressesInAnotherOrder_IsNoChange()
    {
        using var names = Names();
        _resolver.Answer(First, Second);
        var before = await names.GetAsync("a.example", TestContext.Current.CancellationToken);

        _resolver.Answer(Second, First);
        await RefreshAsync(2);

        Assert.Same(before, await names.GetAsync("a.example", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Get_OfANameThatNeverResolved_IsEmpty()
    {
        using var names = Names();
        _resolver.Fail();

        Assert.Empty(await names.GetAsync("a.example", TestContext.Current.CancellationToken));
    }

    private DnsAddresses Names() => new(_time, NullLogger.Instance, (_, _) => _resolver.ResolveAsync());

    /// <summary>Moves the clock until the resolver has been asked so many times.</summary>
    private async Task RefreshAsync(int calls)
    {
        while (_resolver.Calls < calls)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await _resolver.Answered;
    }

    private sealed class TestResolver
    {
        private volatile IPAddress[]? _answer;
        private volatile TaskCompletionSource _answered = new();
        private int _calls;

        public int Calls => Volatile.Read(ref _calls);

        public Task Answered => _answered.Task;

        public void Answer(params IPAddress[] addresses) => (_answer, _answered) = (addresses, new());

        public void Fail() => (_answer, _answered) = (null, new());

        public Task<IPAddress[]> ResolveAsync()
        {
            var answer = _answer;
            var answered = _answered;
            Interlocked.Increment(ref _calls);
            answered.TrySetResult();
            return answer is null ? Task.FromException<IPAddress[]>(new SocketException((int)SocketError.HostNotFound)) : Task.FromResult(answer);
        }
    }
}
