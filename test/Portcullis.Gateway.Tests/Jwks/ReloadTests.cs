using System.Diagnostics.Metrics;
using Portcullis.Gateway.Jwks;

namespace Portcullis.Gateway.Tests.Jwks;

public sealed class ReloadTests
{
    [Fact]
    public async Task Commit_OfTheSameLocations_KeepsTheirSourcesAndFetchesNothing()
    {
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var fetching = new Fetching();
        using var first = fetching.Resolver.BeginRevision();
        var source = first.Resolve(Fetching.At(server.KeysUrl));
        Assert.True(await first.WaitForFirstAttemptAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken));
        first.Commit();

        using var second = fetching.Resolver.BeginRevision();
        var again = second.Resolve(Fetching.At(server.KeysUrl));
        second.Commit();

        Assert.Same(source, again);
        Assert.Single(server.Requests);
        Assert.Single(fetching.Resolver.GetStatuses());
    }

    [Fact]
    public async Task Commit_WithoutALocation_StopsItsFetchesAndKeepsItReadable()
    {
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var other = await KeyServer.StartAsync(Fetching.Key("b"));
        await using var fetching = new Fetching();
        using var first = fetching.Resolver.BeginRevision();
        var source = first.Resolve(Fetching.At(server.KeysUrl));
        await fetching.NextAttemptAsync();
        first.Commit();

        using var second = fetching.Resolver.BeginRevision();
        second.Resolve(Fetching.At(other.KeysUrl));
        await fetching.NextAttemptAsync();
        second.Commit();
        fetching.Time.Advance(TimeSpan.FromMinutes(20));
        await fetching.NextAttemptAsync();

        Assert.Single(server.Requests);
        Assert.Equal(2, other.Requests.Count);
        Assert.NotNull(source.Current.Keys);
        Assert.Equal([other.KeysUrl], fetching.Resolver.GetStatuses().Select(s => s.Url));
    }

    [Fact]
    public async Task Dispose_OfARefusedRevision_StopsOnlyWhatItBrought()
    {
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var other = await KeyServer.StartAsync(Fetching.Key("b"));
        await using var fetching = new Fetching();
        using var first = fetching.Resolver.BeginRevision();
        first.Resolve(Fetching.At(server.KeysUrl));
        first.Commit();

        using (var refused = fetching.Resolver.BeginRevision())
        {
            refused.Resolve(Fetching.At(other.KeysUrl));
        }

        Assert.Equal([server.KeysUrl], fetching.Resolver.GetStatuses().Select(s => s.Url));
    }

    [Fact]
    public async Task Resolve_OfALocationThatDiffersInItsTimeout_BeginsWithTheKnownKeys()
    {
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var fetching = new Fetching();
        var location = Fetching.At(server.KeysUrl);
        var (source, _) = await fetching.FetchAsync(location);

        server.Answer = KeyServer.Hang;
        using var revision = fetching.Resolver.BeginRevision();
        var changed = revision.Resolve(location with { Timeout = TimeSpan.FromSeconds(1) });

        Assert.NotSame(source, changed);
        Assert.Same(source.Current.Keys, changed.Current.Keys);
    }

    [Fact]
    public async Task Resolve_OfAnotherIssuerAtTheSameUrl_TakesNoKeysOver()
    {
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var fetching = new Fetching();
        await fetching.FetchAsync(Fetching.At(server.KeysUrl));

        server.Answer = KeyServer.Hang;

        Assert.Null(fetching.Resolver.Resolve(Fetching.At(server.KeysUrl, "https://other.test")).Current.Keys);
    }

    [Fact]
    public async Task Meter_OfFetches_CountsThemByIssuerAndOutcome()
    {
        const string Issuer = "https://metered.test";
        var seen = new List<(string Instrument, object? Outcome, long Value)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == RemoteJwksResolver.MeterName)
                {
                    l.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, (long)value, tags));
        listener.Start();
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"), Fetching.Key("b"));
        await using var fetching = new Fetching();

        await fetching.FetchAsync(Fetching.At(server.KeysUrl, Issuer));
        server.Serve("", 500);
        await fetching.AfterAsync(TimeSpan.FromMinutes(20));
        listener.RecordObservableInstruments();

        lock (seen)
        {
            Assert.Contains(("portcullis.jwks.fetches", "changed", 1), seen);
            Assert.Contains(("portcullis.jwks.fetches", "failed", 1), seen);
            Assert.Contains(("portcullis.jwks.keys", null, 2), seen);
            Assert.Contains(("portcullis.jwks.consecutive_failures", null, 1), seen);
            Assert.Contains(("portcullis.jwks.age", null, 1200), seen);
        }

        void Record(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var (issuer, outcome) = ((object?)null, (object?)null);
            foreach (var (name, tag) in tags)
            {
                (issuer, outcome) = name switch { "issuer" => (tag, outcome), "outcome" => (issuer, tag), _ => (issuer, outcome) };
            }

            if (Issuer.Equals(issuer))
            {
                lock (seen)
                {
                    seen.Add((instrument.Name, outcome, value));
                }
            }
        }
    }
}
