using System.Globalization;
using Portcullis.FunctionalTests.Support;
using Portcullis.Routing.Tests.Examples;

namespace Portcullis.FunctionalTests.Routing;

/// <summary>The worked examples of routing (the routing compiler's own, and those that need more than routes) against a whole gateway on real sockets.</summary>
public sealed class RoutingExampleTests
{
    public static TheoryData<string> Names => [.. LiveExample.File.Examples.Where(e => e is { NotLive: null, Cases.Count: > 0 }).Select(e => e.Name)];

    [Fact]
    public void File_SaysOfEveryExampleThatIsNotRun_Why() =>
        Assert.All(LiveExample.File.Examples.Where(e => !Names.Any(n => n.Data == e.Name)), e => Assert.False(string.IsNullOrEmpty(e.NotLive ?? e.Reason), e.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Gateway_WorkedExample_DoesAsWritten(string name)
    {
        await using var live = await LiveExample.StartAsync(name);
        foreach (var one in live.Example.Cases)
        {
            var before = live.Attempts;
            var response = await live.SendAsync(one);
            foreach (var (key, expected) in one.Expect)
            {
                Check(live, one, response, before, key, one.Live.GetValueOrDefault(key) ?? expected);
            }
        }

        await CheckLogAsync(live);
    }

    private static void Check(LiveExample live, ExampleCase one, RawResponse response, int before, string key, object expected)
    {
        switch (key)
        {
            case "status":
                Assert.Equal(Number(expected), response.Status);
                break;
            case "body":
                Assert.Equal(expected, response.Body);
                break;
            case "backend" when Equals(expected, "NC"):
                Assert.Equal(503, response.Status);
                break;
            case "backend":
                Assert.Equal(expected, response.Header("x-backend"));
                Assert.Equal(before + new CaseRequest(one).Times, live.Attempts);
                break;
            case "attempts":
                Assert.Equal(before + Number(expected), live.Attempts);
                break;
            case "headers":
                CheckHeaders(CaseRequest.Lines(expected), response.Headers);
                break;
            case "headersAbsent":
                Assert.All(Texts((IList<object>)expected), n => Assert.Null(response.Header(n)));
                break;
            case "distribution":
                Assert.All((Dictionary<object, object>)expected, share => Assert.InRange(
                    100.0 * live.Requests((string)share.Key).Count / new CaseRequest(one).Times, Number(share.Value) - 8, Number(share.Value) + 8));
                break;
            case "upstream":
                CheckUpstream(live, (Dictionary<object, object>)expected, response, live.LastRequest(before));
                break;
            case "log":
                // All at the end: the gateway writes its log as it stops.
                break;
            default:
                Assert.Fail($"unknown expectation {key}");
                break;
        }
    }

    private static void CheckUpstream(LiveExample live, Dictionary<object, object> expectations, RawResponse response, EchoedRequest request)
    {
        foreach (var (key, expected) in expectations)
        {
            switch (key)
            {
                case "path":
                    Assert.Equal(expected, request.Target);
                    break;
                case "host":
                    Assert.Equal([(string)expected], request.Lines("host"));
                    break;
                case "address":
                    Assert.Equal(live.Fill((string)expected), live.Fill(response.Header("x-backend") == "a" ? "$A_ADDRESS:$A_PORT" : "$B_ADDRESS:$B_PORT"));
                    break;
                case "headers":
                    CheckHeaders(CaseRequest.Lines(expected), request.Headers);
                    break;
                case "absent":
                    Assert.All(Texts((IList<object>)expected), n => Assert.Empty(request.Lines(n)));
                    break;
                case "other":
                    Assert.All(CaseRequest.Lines(expected), h => Assert.NotEqual(h.Value, Assert.Single(request.Lines(h.Name))));
                    break;
                default:
                    Assert.Fail($"unknown expectation upstream.{key}");
                    break;
            }
        }
    }

    /// <summary>Lines of one name may be joined with a comma on their way, which says the same (RFC 9110 §5.3).</summary>
    private static void CheckHeaders(IEnumerable<(string Name, string Value)> expected, IReadOnlyList<KeyValuePair<string, string>> actual) => Assert.All(
        expected.GroupBy(h => h.Name, h => h.Value),
        lines => Assert.Equal(
            string.Join(',', lines), string.Join(',', actual.Where(h => h.Key.Equals(lines.Key, StringComparison.OrdinalIgnoreCase)).Select(h => h.Value)).Replace(", ", ",", StringComparison.Ordinal)));

    private static async Task CheckLogAsync(LiveExample live)
    {
        var lines = (await live.Gateway.StopAndReadAccessLogAsync()).Select(l => l.Split(' ', 3)).ToList();
        foreach (var (index, one) in live.Example.Cases.Index())
        {
            if (one.Expect.GetValueOrDefault("log") is Dictionary<object, object> log)
            {
                var line = lines.Single(l => l[0] == index.ToString(CultureInfo.InvariantCulture));
                Assert.All(log, e => Assert.Equal(e.Value, line[(string)e.Key == "flags" ? 1 : 2]));
            }
        }
    }

    private static IEnumerable<string> Texts(IList<object> value) => value.Cast<string>();

    private static int Number(object value) => int.Parse((string)value, CultureInfo.InvariantCulture);
}
