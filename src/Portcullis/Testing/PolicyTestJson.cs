using System.Text;
using System.Text.Json;
using Portcullis.Gateway.PolicyTests;
using Portcullis.Reports;

namespace Portcullis.Testing;

/// <summary>A run of policy tests for programs.</summary>
internal static class PolicyTestJson
{
    public static string Format(PolicyTestReport report)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, JsonReport.Options))
        {
            json.WriteStartObject();
            json.WriteNumber("passed", report.Passed);
            json.WriteNumber("failed", report.Failed);
            json.WriteNumber("skipped", report.Skipped);
            json.WriteNumber("durationMs", Math.Round(report.Duration.TotalMilliseconds, 3));
            json.WriteStartArray("tests");
            foreach (var suite in report.Suites)
            {
                foreach (var result in suite.Results)
                {
                    Write(json, suite, result);
                }
            }

            json.WriteEndArray();
            Write(json, report.Coverage);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void Write(Utf8JsonWriter json, PolicySuiteResult suite, PolicyTestResult result)
    {
        json.WriteStartObject();
        json.WriteString("suite", suite.Suite.Name);
        json.WriteString("name", result.Test.Name);
        json.WriteString("file", suite.Suite.Source);
        json.WriteNumber("line", result.Test.Position.Line);
        json.WriteString("outcome", result.Outcome.ToString().ToLowerInvariant());
        json.WriteNumber("durationMs", Math.Round(result.Duration.TotalMilliseconds, 3));
        json.WriteString("expected", result.Test.Expect.ToString());
        if (result.Judgement is { } judgement)
        {
            json.WriteStartObject("actual");
            json.WriteString("outcome", judgement.IsAllowed ? "allow" : "deny");
            json.WriteNumber("status", judgement.Status);
            json.WriteString("policy", judgement.Policy);
            if (judgement.Rule is { } rule)
            {
                json.WriteNumber("rule", rule);
            }

            json.WriteString("reason", judgement.Obstacle ?? judgement.Reason);
            json.WriteString("principal", judgement.Principal);
            json.WriteEndObject();
        }

        if (result.Test.Skip is { } skip)
        {
            json.WriteString("skip", skip);
        }

        json.WriteStartArray("differences");
        foreach (var difference in result.Differences)
        {
            json.WriteStringValue(difference);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, PolicyTestCoverage coverage)
    {
        json.WriteStartObject("coverage");
        json.WriteNumber("percent", Math.Round(coverage.Percent, 2));
        foreach (var kind in Enum.GetValues<CoverageKind>())
        {
            var (covered, all) = coverage.Of(kind);
            json.WriteStartObject(NameOf(kind));
            json.WriteNumber("covered", covered);
            json.WriteNumber("all", all);
            json.WriteEndObject();
        }

        json.WriteStartArray("missing");
        foreach (var item in coverage.Items.Where(i => !i.IsCovered))
        {
            json.WriteStartObject();
            json.WriteString("kind", NameOf(item.Kind));
            json.WriteString("name", item.Name);
            json.WriteString("place", item.Place);
            json.WriteString("missing", item.Missing);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string NameOf(CoverageKind kind) => kind switch
    {
        CoverageKind.Policy => "policies",
        CoverageKind.Rule => "rules",
        CoverageKind.Clause => "clauses",
        CoverageKind.Value => "values",
        _ => "jwtRules",
    };
}
