using System.Text.Json;

namespace Portcullis.Policy.Tests.Authorization;

/// <summary>The worked examples of the specification, and the table of where we differ from Istio.</summary>
public sealed class AuthorizationExampleTests
{
    private static readonly JsonElement[] Examples = [.. PolicyCase.Load("authorization-examples.json")];
    private static readonly JsonElement[] Deviations = [.. PolicyCase.Load("authorization-deviations.json")];

    public static TheoryData<string, int> Rows()
    {
        var rows = new TheoryData<string, int>();
        for (var i = 0; i < Examples.Length; i++)
        {
            if (!Examples[i].TryGetProperty("otherStage", out _))
            {
                rows.Add($"{Examples[i].GetProperty("id")}, {Examples[i].GetProperty("mode")}", i);
            }
        }

        return rows;
    }

    public static TheoryData<string> DeviationIds() => [.. Deviations.Select(d => d.GetProperty("id").GetString()!)];

    [Theory]
    [MemberData(nameof(Rows))]
    public void Evaluate_WorkedExample_DecidesAsExpectedInBothEvaluators(string name, int index)
    {
        var example = Examples[index];
        var mode = example.GetProperty("mode").GetString();
        foreach (var mesh in mode switch
        {
            "both" => new[] { Policies.DefaultMesh, Policies.ExactMesh },
            "exact" => [Policies.ExactMesh],
            "default" => [Policies.DefaultMesh],
            _ => throw new InvalidDataException($"{name}: mode {mode}"),
        })
        {
            var (compiled, reference) = PolicyCase.Run(example, mesh);

            Assert.Equal(PolicyCase.Outcome(example.GetProperty("expect")), compiled.Outcome);
            Assert.Equal(reference, compiled);
            if (example.TryGetProperty("expectShadowAllow", out var shadow))
            {
                Assert.Equal(shadow.GetString(), compiled.AllowShadow!.Value.IsAllowed ? "allowed" : "denied");
            }
        }
    }

    [Fact]
    public void Examples_EveryNumberOfTheSpecification_IsThereOrSaysWhyNot()
    {
        var expected = Enumerable.Range(1, 61).Select(i => $"Z{i:D2}");

        Assert.Equal(expected, Examples.Select(e => e.GetProperty("id").GetString()!).Distinct());
        Assert.All(Examples.Where(e => e.TryGetProperty("otherStage", out _)), e => Assert.NotEmpty(e.GetProperty("otherStage").GetString()!));
    }

    [Fact]
    public void Examples_ThatDependOnTheMode_NameTheDeviation()
    {
        var known = Deviations.Select(d => d.GetProperty("id").GetString()!).ToHashSet();

        Assert.All(
            Examples.Where(e => e.TryGetProperty("mode", out var m) && m.GetString() == "default"),
            e => Assert.Contains(e.GetProperty("deviation").GetString()!, known));
    }

    [Theory]
    [MemberData(nameof(DeviationIds))]
    public void Evaluate_Deviation_DecidesAsTheTableSaysInBothModes(string id)
    {
        var data = Deviations.Single(d => d.GetProperty("id").GetString() == id).GetProperty("case");

        var exact = PolicyCase.Run(data, Policies.ExactMesh);
        var standard = PolicyCase.Run(data, Policies.DefaultMesh);

        Assert.Equal(PolicyCase.Outcome(data.GetProperty("expectExact")), exact.Compiled.Outcome);
        Assert.Equal(PolicyCase.Outcome(data.GetProperty("expectDefault")), standard.Compiled.Outcome);
        Assert.Equal(exact.Reference, exact.Compiled);
        Assert.Equal(standard.Reference, standard.Compiled);
    }

    [Fact]
    public void Deviations_WithoutASwitch_DecideAlikeInBothModes() =>
        Assert.All(
            Deviations.Where(d => d.GetProperty("switch").ValueKind == JsonValueKind.Null),
            d => Assert.Equal(
                d.GetProperty("case").GetProperty("expectExact").ToString(), d.GetProperty("case").GetProperty("expectDefault").ToString()));
}
