using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Decisions;
using Portcullis.Policy.Authorization;

namespace Portcullis.Gateway.Tests.Decisions;

public sealed class DecisionJournalTests
{
    [Fact]
    public void Flood_OfRefusals_StaysBoundedAndPushesNoAllowedDecisionOut()
    {
        var journal = new DecisionJournal(100);
        journal.Add(Record("allowed", DecisionOutcome.Allowed), GatewaySnapshot.Empty);

        for (var i = 0; i < 10_000; i++)
        {
            journal.Add(Record($"refused{i}", DecisionOutcome.Forbidden), GatewaySnapshot.Empty);
        }

        var counts = journal.Counts();
        Assert.Equal((100, 1, 10_001, 9_900), (counts.Refused, counts.Allowed, counts.Recorded, counts.Evicted));
        Assert.NotNull(journal.Find("allowed"));
        Assert.Null(journal.Find("refused9899"));
        Assert.NotNull(journal.Find("refused9900"));
    }

    [Fact]
    public void LongRequests_AreBoundedInBytes()
    {
        var journal = new DecisionJournal(100_000);

        for (var i = 0; i < 5_000; i++)
        {
            journal.Add(Record($"{i}", DecisionOutcome.Forbidden, new string('x', 2048)), GatewaySnapshot.Empty);
        }

        Assert.InRange(journal.Counts().Bytes, DecisionJournal.MaxBytes / 2, DecisionJournal.MaxBytes);
        Assert.NotNull(journal.Find("4999"));
    }

    [Fact]
    public void SlowListener_LosesDecisionsAndLearnsHowMany()
    {
        var journal = new DecisionJournal(10);
        using var tap = journal.Open(new DecisionQuery { Outcome = "denied" })!;

        for (var i = 0; i < DecisionTap.QueueLength + 50; i++)
        {
            journal.Add(Record($"refused{i}", DecisionOutcome.Challenge), GatewaySnapshot.Empty);
            journal.Add(Record($"allowed{i}", DecisionOutcome.Allowed), GatewaySnapshot.Empty);
        }

        Assert.Equal(DecisionTap.QueueLength, tap.Reader.Count);
        Assert.Equal(50, tap.TakeDropped());
        Assert.Equal(0, tap.TakeDropped());
    }

    [Fact]
    public void Listeners_AreBoundedInNumber_AndAClosedOneMakesRoom()
    {
        var journal = new DecisionJournal(10);
        var taps = Enumerable.Range(0, DecisionTap.MaxCount).Select(_ => journal.Open(new DecisionQuery())!).ToList();

        Assert.Null(journal.Open(new DecisionQuery()));
        taps[3].Dispose();
        Assert.NotNull(journal.Open(new DecisionQuery()));
    }

    [Fact]
    public void Ids_AreSixteenCharactersAndDiffer()
    {
        var ids = Enumerable.Range(0, 1_000).Select(_ => DecisionId.Create()).ToList();

        Assert.All(ids, id => Assert.True(DecisionId.IsWellFormed(id), id));
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.False(DecisionId.IsWellFormed("UPPERCASE0000000"));
    }

    private static DecisionRecord Record(string id, DecisionOutcome outcome, string target = "/") => new()
    {
        Id = id,
        Time = DateTimeOffset.UnixEpoch,
        Milliseconds = 1,
        Generation = 1,
        Outcome = outcome,
        Status = 200,
        Method = "GET",
        Scheme = "http",
        Authority = "shop.example",
        Target = target,
        Path = "/",
        Headers = [],
        LocalPort = 8080,
    };
}
