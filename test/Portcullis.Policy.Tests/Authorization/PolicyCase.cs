using System.Globalization;
using System.Net;
using System.Text.Json;
using Portcullis.Matching;
using Portcullis.Policy.Authorization;
using Portcullis.Policy.Authorization.Reference;
using Portcullis.Resources;

namespace Portcullis.Policy.Tests.Authorization;

/// <summary>Policies and a request of a data file, decided by the compiled program and by the reference.</summary>
internal static class PolicyCase
{
    public static (Decision Compiled, Decision Reference) Run(JsonElement data, MeshConfig mode)
    {
        var mesh = Mesh(data, mode);
        var workload = Workload(data);
        var policies = Policies.Items(data, "policies").Select((p, i) => Policies.Read(p, $"p{i}")).ToList();
        string[] issuers = ["https://i1.example"];
        var request = Request(data.GetProperty("request"), mesh);

        var compiled = Authorizer.Compile(policies, mesh, workload, issuers, []);
        var reference = new ReferenceAuthorizer(policies, mesh, workload, issuers);

        // a CUSTOM policy whose authorizer cannot be asked denies what it matches, before the token is read
        var anonymous = request with { Claims = null };
        var custom = (compiled.EvaluateCustom(in anonymous), reference.EvaluateCustom(in anonymous));
        Assert.Equal(custom.Item2, custom.Item1);
        return custom.Item1 is { } match
            ? (new Decision(DecisionOutcome.Forbidden, match.PolicyId), new Decision(DecisionOutcome.Forbidden, match.PolicyId))
            : (compiled.Evaluate(in request), reference.Evaluate(in request));
    }

    public static DecisionOutcome Outcome(JsonElement expect) => expect.ToString() switch
    {
        "allow" => DecisionOutcome.Allowed,
        "403" => DecisionOutcome.Forbidden,
        "401" => DecisionOutcome.Challenge,
        var other => throw new InvalidDataException($"unknown expectation {other}"),
    };

    public static IEnumerable<JsonElement> Load(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Data", file)));
        return [.. document.RootElement.Clone().EnumerateArray()];
    }

    private static MeshConfig Mesh(JsonElement data, MeshConfig mode)
    {
        if (!data.TryGetProperty("mesh", out var mesh))
        {
            return mode;
        }

        return mode with
        {
            TrustDomain = Policies.Text(mesh, "trustDomain") ?? mode.TrustDomain,
            PathNormalization = Enum.Parse<PathNormalizationMode>(Policies.Text(mesh, "pathNormalization") ?? "Default"),
        };
    }

    private static WorkloadIdentity Workload(JsonElement data)
    {
        var workload = new WorkloadIdentity();
        return data.TryGetProperty("gateway", out var gateway)
            ? workload with
            {
                Namespace = Policies.Text(gateway, "namespace") ?? workload.Namespace,
                Labels = Policies.Map(gateway, "labels") ?? workload.Labels,
            }
            : workload;
    }

    private static TestRequest Request(JsonElement request, MeshConfig mesh)
    {
        var normalization = mesh.PathNormalization switch
        {
            PathNormalizationMode.MergeSlashes => PathNormalization.MergeSlashes,
            PathNormalizationMode.DecodeAndMergeSlashes => PathNormalization.DecodeAndMergeSlashes,
            _ => PathNormalization.Base,
        };
        Assert.True(PathNormalizer.TryNormalize(Policies.Text(request, "target") ?? "/", normalization, out var path, out var query));
        return new TestRequest
        {
            Method = Policies.Text(request, "method") ?? "GET",
            Authority = Policies.Text(request, "host") ?? "shop.example.com",
            Path = path,
            Query = query,
            Headers = [.. Policies.Items(request, "headers")
                .GroupBy(h => h[0].GetString()!)
                .Select(g => (g.Key, g.Select(h => h[1].GetString()!).ToArray()))],
            PeerAddress = IPAddress.Parse(Policies.Text(request, "peer") ?? "192.0.2.1"),
            RemoteAddress = IPAddress.Parse(Policies.Text(request, "remote") ?? "192.0.2.1"),
            LocalPort = request.TryGetProperty("localPort", out var port) ? int.Parse(port.GetRawText(), CultureInfo.InvariantCulture) : 8080,
            PeerCertificate = Policies.Text(request, "peerUri") is { } uri ? new PeerCertificate([uri], [], "") : null,
            Claims = request.TryGetProperty("claims", out var claims) ? TestRequest.ClaimsOf(claims.GetRawText()) : null,
        };
    }
}
