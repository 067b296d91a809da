using System.Globalization;
using Portcullis.Routing.Tests.Support;

namespace Portcullis.Routing.Tests.Examples;

/// <summary>The worked examples of the routing specification, as far as they are about compiled routes.</summary>
public sealed class RoutingExampleTests
{
    private static readonly ExampleFile File = ExampleFile.Load();

    public static TheoryData<string> Pure => [.. File.Examples.Where(e => e.IsPure).Select(e => e.Name)];

    [Fact]
    public void File_HasEveryExample_AndAReasonForEachThatIsNotRun()
    {
        Assert.Equal(Enumerable.Range(1, 46), File.Examples.Select(e => int.Parse(e.Name.Split(' ')[0], CultureInfo.InvariantCulture)));
        Assert.All(File.Examples.Where(e => !e.IsPure), e => Assert.False(string.IsNullOrEmpty(e.Reason)));
        Assert.Equal(36, Pure.Count);
    }

    [Theory]
    [MemberData(nameof(Pure))]
    public void Example_Holds(string name)
    {
        var example = File.Examples.Single(e => e.Name == name);
        var compiled = Compiled.From(example.Documents(File));

        Assert.NotEmpty(example.Cases);
        Assert.All(example.Cases, c => Check(compiled, c));
    }

    private static void Check(Compiled compiled, ExampleCase example)
    {
        var request = example.Request;
        var headers = Lines(request.GetValueOrDefault("headers")).ToArray();
        var attributes = new TestRequest(Text("path", "/"), Text("host", "foo.com"), Text("method", "GET"), headers) { Scheme = Text("scheme", "http") };
        attributes = request.ContainsKey("claims") ? attributes.WithClaims(Text("claims", "")) : attributes;
        var times = int.Parse(Text("times", "1"), CultureInfo.InvariantCulture);
        var random = new Random(42);
        var outcomes = Enumerable.Range(0, times)
            .Select(_ => Outcome.Of(compiled, attributes, headers, request.GetValueOrDefault("sni") as string, (uint)random.NextInt64(1L << 32)))
            .ToList();
        foreach (var (key, expected) in example.Expect)
        {
            if (key == "distribution")
            {
                Assert.All(Map(expected), share =>
                {
                    var percent = 100.0 * outcomes.Count(o => o.Backend == share.Key) / times;
                    Assert.InRange(percent, Number(share.Value) - 5, Number(share.Value) + 5);
                });
                continue;
            }

            Assert.All(outcomes, outcome => CheckOne(outcome, key, expected));
        }

        string Text(string key, string otherwise) => request.GetValueOrDefault(key) as string ?? otherwise;
    }

    private static void CheckOne(Outcome outcome, string key, object expected)
    {
        switch (key)
        {
            case "status":
                Assert.Equal(Number(expected), outcome.Status);
                break;
            case "body":
                Assert.Equal(expected, outcome.Body);
                break;
            case "backend":
                Assert.Equal(expected, outcome.Backend);
                break;
            case "headers":
                CheckHeaders(outcome.Headers, expected);
                break;
            case "headersAbsent":
                Assert.All(Names(expected), name => Assert.DoesNotContain(name, outcome.Headers.Keys));
                break;
            case "log":
                Assert.All(Map(expected), e => Assert.Equal(e.Value, e.Key == "flags" ? outcome.Flags : outcome.Details));
                break;
            case "upstream":
                Assert.All(Map(expected), e => CheckUpstream(outcome, e.Key, e.Value));
                break;
            case "tls":
                Assert.True(outcome.IsClosed);
                break;
            default:
                Assert.Fail($"unknown expectation {key}");
                break;
        }
    }

    private static void CheckUpstream(Outcome outcome, string key, object expected)
    {
        switch (key)
        {
            case "path":
                Assert.Equal(expected, outcome.UpstreamPath);
                break;
            case "host":
                Assert.Equal(expected, outcome.UpstreamHost);
                break;
            case "address":
                var endpoint = Assert.Single(outcome.Cluster!.Endpoints);
                Assert.Equal(RoutingExample.Fill((string)expected), $"{endpoint.Address}:{endpoint.Port}");
                break;
            case "headers":
                CheckHeaders(outcome.UpstreamHeaders, expected);
                break;
            case "absent":
                Assert.All(Names(expected), name => Assert.DoesNotContain(name, outcome.UpstreamHeaders.Keys));
                break;
            default:
                Assert.Fail($"unknown expectation upstream.{key}");
                break;
        }
    }

    private static void CheckHeaders(Dictionary<string, List<string>> actual, object expected) =>
        Assert.All(Lines(expected).GroupBy(l => l.Name, l => l.Value), line => Assert.Equal([.. line], actual.GetValueOrDefault(line.Key, [])));

    private static string[] Names(object value) => [.. ((IList<object>)value).Cast<string>()];

    private static double Number(object value) => double.Parse((string)value, CultureInfo.InvariantCulture);

    private static IEnumerable<KeyValuePair<string, object>> Map(object value) =>
        ((Dictionary<object, object>)value).Select(e => KeyValuePair.Create((string)e.Key, e.Value));

    private static IEnumerable<(string Name, string Value)> Lines(object? value) =>
        value is null ? [] : Map(value).SelectMany(e => e.Value is IList<object> many ? many.Select(v => (e.Key, (string)v)) : [(e.Key, (string)e.Value)]);
}
