using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Authorization;

/// <summary>
/// Request lines and headers with which policies of other gateways, and of this family's earlier versions, were dodged: sent byte for byte, in Istio-exact mode and
/// in ours. What passes has to reach the backend in the form that the policy was asked about.
/// </summary>
public sealed class KnownHoleTests(EchoBackend backend) : IClassFixture<EchoBackend>
{
    private static readonly JsonElement[] Groups = [.. JsonElement.Parse(File.ReadAllText(
        Path.Combine(Repository.Root, "test", "Portcullis.FunctionalTests", "Authorization", "known-holes.json"))).EnumerateArray()];

    public static TheoryData<string, bool> Names => [.. Groups.Select(g => g.GetProperty("name").GetString()!).SelectMany(n => new[] { (n, false), (n, true) })];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Gateway_KnownTrick_DoesNotDodgeThePolicy(string name, bool isExact)
    {
        var group = Groups.Single(g => g.GetProperty("name").GetString() == name);
        var mesh = group.TryGetProperty("mesh", out var given) ? string.Concat(given.EnumerateObject().Select(m => $"{m.Name}: {m.Value}\n")) : "";
        await using var gateway = await InProcessGateway.StartAsync(
            backend.Port, new InProcessOptions { Mesh = (isExact ? Modes.Exact : "") + mesh }, Policies(group));

        var wrong = new List<string>();
        foreach (var request in group.GetProperty("requests").EnumerateArray())
        {
            var response = await RawHttp.SendTextAsync(gateway.Port, Text(request), isHead: request.GetProperty("line").GetString()!.StartsWith("HEAD", StringComparison.Ordinal));
            var seen = response.Status == 200 ? $"200 {EchoedRequest.Of(response).Target}" : response.Status.ToString(CultureInfo.InvariantCulture);
            var expected = Expected(request, isExact);
            if (!expected.Contains(seen))
            {
                wrong.Add($"{request.GetProperty("line")} {(request.TryGetProperty("host", out var h) ? h : "")}: {seen}, expected {string.Join(" or ", expected)}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
    }

    private static string[] Expected(JsonElement request, bool isExact)
    {
        var status = isExact && request.TryGetProperty("exact", out var exact) ? exact : request.GetProperty("status");
        var all = status.ValueKind == JsonValueKind.Array ? status.EnumerateArray().ToArray() : [status];
        return [.. all.Select(s => s.GetInt32() == 200 ? $"200 {request.GetProperty("upstream").GetString()}" : s.GetRawText())];
    }

    private static string Text(JsonElement request)
    {
        var host = request.TryGetProperty("host", out var given) ? given.GetString() : "shop.example.com";
        var headers = request.TryGetProperty("headers", out var lines) ? lines.EnumerateArray().Select(l => l.GetString() + "\r\n") : [];
        return $"{request.GetProperty("line").GetString()}\r\n{(host is null ? "" : $"Host: {host}\r\n")}{string.Concat(headers)}Connection: close\r\n\r\n";
    }

    private static IEnumerable<(string File, string Text)> Policies(JsonElement group) =>
        group.GetProperty("policies").EnumerateArray().Select((p, i) => ($"policy-{i}.json", new JsonObject
        {
            ["apiVersion"] = "security.istio.io/v1",
            ["kind"] = "AuthorizationPolicy",
            ["metadata"] = new JsonObject { ["name"] = $"p{i}", ["namespace"] = "istio-system" },
            ["spec"] = JsonNode.Parse(p.GetRawText()),
        }.ToJsonString()));
}
