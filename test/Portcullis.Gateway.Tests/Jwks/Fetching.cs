using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Portcullis.Gateway.Jwks;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;

namespace Portcullis.Gateway.Tests.Jwks;

/// <summary>A resolver on a fake clock, with what it reports and logs.</summary>
internal sealed class Fetching : ILogger<RemoteJwksResolver>, IAsyncDisposable
{
    private readonly Channel<JwksSourceStatus> _attempts = Channel.CreateUnbounded<JwksSourceStatus>();
    private readonly ConcurrentQueue<string> _log = new();

    public Fetching(JwksFetchOptions? options = null, TimeProvider? clock = null)
    {
        Resolver = new RemoteJwksResolver(options ?? new(), this, clock ?? Time);
        Resolver.Attempted += status => _attempts.Writer.TryWrite(status);
    }

    /// <summary>The clock, unless the test brought another.</summary>
    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public RemoteJwksResolver Resolver { get; }

    public IReadOnlyCollection<string> Log => _log;

    public static JsonWebKey Key(string keyId) => JsonWebKey.Generate(JwsAlgorithm.ES256, keyId);

    public static JwksLocation At(string? url, string? issuer = "https://issuer.test", params (string Name, string Value)[] annotations) =>
        new() { Issuer = issuer, JwksUri = url, Annotations = annotations.ToDictionary(a => a.Name, a => a.Value) };

    /// <summary>The next fetch that ends.</summary>
    public async Task<JwksSourceStatus> NextAttemptAsync() =>
        await _attempts.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask()
            .WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

    public bool HasAttempt => _attempts.Reader.TryPeek(out _);

    /// <summary>Asks for a location and waits for its first fetch.</summary>
    public async Task<(JwksSource Source, JwksSourceStatus Status)> FetchAsync(JwksLocation location)
    {
        var source = Resolver.Resolve(location);
        return (source, await NextAttemptAsync());
    }

    /// <summary>Lets a refresh interval go by and waits for the fetch that is due then.</summary>
    public Task<JwksSourceStatus> AfterAsync(TimeSpan wait)
    {
        Time.Advance(wait);
        return NextAttemptAsync();
    }

    public ValueTask DisposeAsync() => Resolver.DisposeAsync();

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _log.Enqueue($"{logLevel} {eventId.Id} {formatter(state, exception)}");
}
