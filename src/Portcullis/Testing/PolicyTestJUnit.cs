using System.Globalization;
using System.Xml;
using Portcullis.Gateway.PolicyTests;

namespace Portcullis.Testing;

/// <summary>A run of policy tests in the JUnit XML that build servers read: a suite a file, with file and line of every test.</summary>
internal static class PolicyTestJUnit
{
    public static void Write(TextWriter output, PolicyTestReport report)
    {
        using var xml = XmlWriter.Create(output, new XmlWriterSettings { Indent = true, CloseOutput = false });
        xml.WriteStartElement("testsuites");
        xml.WriteAttributeString("name", "portcullis test");
        Counts(xml, [.. report.Suites.SelectMany(s => s.Results)], report.Duration);
        foreach (var suite in report.Suites)
        {
            Write(xml, suite, report.Coverage);
        }

        xml.WriteEndElement();
        xml.WriteEndDocument();
        xml.Flush();
        output.WriteLine();
    }

    private static void Write(XmlWriter xml, PolicySuiteResult suite, PolicyTestCoverage coverage)
    {
        xml.WriteStartElement("testsuite");
        xml.WriteAttributeString("name", Valid(suite.Suite.Name));
        Counts(xml, [.. suite.Results], suite.Results.Aggregate(TimeSpan.Zero, (sum, r) => sum + r.Duration));
        xml.WriteAttributeString("file", Valid(suite.Suite.Source));
        xml.WriteStartElement("properties");
        xml.WriteStartElement("property");
        xml.WriteAttributeString("name", "coverage");
        xml.WriteAttributeString("value", PolicyTestCoverage.Format(coverage.Percent));
        xml.WriteEndElement();
        xml.WriteEndElement();
        foreach (var result in suite.Results)
        {
            Write(xml, suite, result);
        }

        xml.WriteEndElement();
    }

    private static void Write(XmlWriter xml, PolicySuiteResult suite, PolicyTestResult result)
    {
        xml.WriteStartElement("testcase");
        xml.WriteAttributeString("name", Valid(result.Test.Name));
        xml.WriteAttributeString("classname", Valid(suite.Suite.Name));
        xml.WriteAttributeString("file", Valid(suite.Suite.Source));
        xml.WriteAttributeString("line", result.Test.Position.Line.ToString(CultureInfo.InvariantCulture));
        xml.WriteAttributeString("time", Seconds(result.Duration));
        if (result.Outcome == PolicyTestOutcome.Failed)
        {
            xml.WriteStartElement("failure");
            xml.WriteAttributeString("message", Valid(string.Join("; ", result.Differences)));
            xml.WriteAttributeString("type", result.Judgement?.Obstacle is null ? "expectation" : "not judged");
            var lines = FailureLines.Of(result).Select(l => new string(' ', l.Depth * 2) + l.Text).Prepend($"{suite.Suite.Source}:{result.Test.Position.Line}");
            xml.WriteString(Valid(string.Join('\n', lines)));
            xml.WriteEndElement();
        }
        else if (result.Outcome == PolicyTestOutcome.Skipped)
        {
            xml.WriteStartElement("skipped");
            xml.WriteAttributeString("message", Valid(result.Test.Skip ?? ""));
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    private static void Counts(XmlWriter xml, IReadOnlyCollection<PolicyTestResult> results, TimeSpan duration)
    {
        xml.WriteAttributeString("tests", Number(results.Count));
        xml.WriteAttributeString("failures", Number(results.Count(r => r.Outcome == PolicyTestOutcome.Failed)));
        xml.WriteAttributeString("errors", "0");
        xml.WriteAttributeString("skipped", Number(results.Count(r => r.Outcome == PolicyTestOutcome.Skipped)));
        xml.WriteAttributeString("time", Seconds(duration));
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Seconds(TimeSpan duration) => duration.TotalSeconds.ToString("0.000000", CultureInfo.InvariantCulture);

    /// <summary>XML 1.0 has no way to write most control characters, not even escaped.</summary>
    private static string Valid(string text)
    {
        var clean = new System.Text.StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && XmlConvert.IsXmlSurrogatePair(text[i + 1], text[i]))
            {
                clean.Append(text[i]).Append(text[++i]);
            }
            else
            {
                clean.Append(XmlConvert.IsXmlChar(text[i]) ? text[i] : '\uFFFD');
            }
        }

        return clean.ToString();
    }
}
