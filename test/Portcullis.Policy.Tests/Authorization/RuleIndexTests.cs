using System.Collections.Immutable;
using System.Net;
using Portcullis.Matching;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Tests.Authorization;

/// <summary>What the index of rules must save: looking at rules that cannot match, and garbage.</summary>
public sealed class RuleIndexTests
{
    private const int Many = 4_000;
    private static readonly string[] Kinds = ["host", "hostSuffix", "path", "pathPrefix", "pathTemplate", "principal", "issuer", "subject", "peer", "hostAndPath", "mixed"];

    public static TheoryData<string, string> KindsAndActions()
    {
        var rows = new TheoryData<string, string>();
        foreach (var kind in Kinds)
        {
            rows.Add(kind, "ALLOW");
            rows.Add(kind, "DENY");
        }

        return rows;
    }

    /// <summary>Each rule names a port, which no index knows: it is asked for once a rule that is looked at.</summary>
    [Theory]
    [MemberData(nameof(KindsAndActions))]
    public void Evaluate_ThousandsOfPolicies_LooksAtAFew(string kind, string action)
    {
        var authorizer = Compile(kind, Enum.Parse<PolicyAction>(action, ignoreCase: true), Many);
        var counter = new Counter();
        foreach (var i in new[] { 0, 17, 3210, Many - 1 })
        {
            counter.Count = 0;
            var request = Request(kind, i, counter);

            var decision = authorizer.Evaluate(in request);

            Assert.Equal($"ns[istio-system]-policy[p{i}]-rule[0]", decision.PolicyId);
            Assert.InRange(counter.Count, 1, 20);
        }

        counter.Count = 0;
        var other = Request(kind, Many + 5, counter);
        Assert.Null(authorizer.Evaluate(in other).PolicyId);
        Assert.InRange(counter.Count, 0, 20);
    }

    [Theory]
    [MemberData(nameof(KindsAndActions))]
    public void Evaluate_ManyPoliciesAndTheRequestPasses_AllocatesNothing(string kind, string action)
    {
        var authorizer = Compile(kind, Enum.Parse<PolicyAction>(action, ignoreCase: true), 500);
        var request = Request(kind, action == "ALLOW" ? 321 : 501, new Counter());
        Assert.True(authorizer.Evaluate(in request).IsAllowed);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            _ = authorizer.Evaluate(in request);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// <summary>What another token could satisfy is found too, by its issuer and without.</summary>
    [Theory]
    [InlineData("principal", "https://issuer.example", DecisionOutcome.Challenge)]
    [InlineData("principal", "https://other.example", DecisionOutcome.Forbidden)]
    [InlineData("principal", null, DecisionOutcome.Challenge)]
    [InlineData("issuer", "https://issuer.example/77", DecisionOutcome.Challenge)]
    [InlineData("issuer", "https://issuer.example", DecisionOutcome.Forbidden)]
    [InlineData("subject", "https://other.example", DecisionOutcome.Challenge)]
    [InlineData("subject", null, DecisionOutcome.Challenge)]
    [InlineData("path", "https://issuer.example", DecisionOutcome.Forbidden)]
    public void Evaluate_ManyPoliciesAndNoToken_ChallengesWhenATokenOfTheIssuerCouldPass(string kind, string? issuer, DecisionOutcome expected)
    {
        var authorizer = Compile(kind, PolicyAction.Allow, 100, issuer);
        var request = Request("none", 0, new Counter()) with { Claims = null };

        Assert.Equal(expected, authorizer.Evaluate(in request).Outcome);
    }

    /// <summary>The id that is reported is that of the first rule in their order, wherever the index found it.</summary>
    [Fact]
    public void Evaluate_SeveralRulesMatch_FirstIdIsNamed()
    {
        AuthorizationPolicy[] policies =
        [
            .. Enumerable.Range(0, 50).Select(i => Policies.Of($"a{i}", PolicyAction.Deny, [new() { To = [new() { Hosts = [$"h{i}"] }] }])),
            Policies.Of("m", PolicyAction.Deny, [new() { To = [new() { Paths = ["/x"] }] }]),
            Policies.Of("z", PolicyAction.Deny, [new()]),
            Policies.Of("y", PolicyAction.Deny, [new() { To = [new() { Hosts = ["HOST.example"] }] }]),
            Policies.Of("l", PolicyAction.Deny, [new() { To = [new() { Hosts = ["*.example"] }] }]),
        ];
        var authorizer = Authorizer.Compile(policies, MeshConfig.Default, new WorkloadIdentity(), [], []);

        foreach (var (host, path, expected) in new[] { ("host.EXAMPLE", "/x", "l"), ("host", "/x", "m"), ("host", "/", "z"), ("H7", "/x", "a7") })
        {
            var request = new TestRequest { Authority = host, Path = path };
            Assert.Equal($"ns[istio-system]-policy[{expected}]-rule[0]", authorizer.Evaluate(in request).PolicyId);
        }
    }

    /// <summary>A path that a backend may read otherwise is looked up in each of its readings.</summary>
    [Fact]
    public void Evaluate_PathInAnotherSpelling_FindsTheRuleByEveryReading()
    {
        var authorizer = Compile("path", PolicyAction.Deny, 100);
        foreach (var path in new[] { "/path-42", "//path-42", "/%2fpath-42" })
        {
            var request = Request("path", 42, new Counter()) with { Path = path };
            Assert.Equal("ns[istio-system]-policy[p42]-rule[0]", authorizer.Evaluate(in request).PolicyId);
        }
    }

    private static Authorizer Compile(string kind, PolicyAction action, int count, string? issuer = "https://issuer.example") => Authorizer.Compile(
        [.. Enumerable.Range(0, count).Select(i => Policies.Of($"p{i}", action, [Rule(kind, i)]))],
        MeshConfig.Default,
        new WorkloadIdentity(),
        [issuer],
        []);

    private static AuthorizationRule Rule(string kind, int i)
    {
        ImmutableArray<string> ports = ["8080"];
        var condition = new Condition { Key = "destination.port", Values = ["8080"] };
        return kind switch
        {
            "host" => new() { To = [new() { Hosts = [$"Host-{i}.example.com", $"host-{i}.example.com:*"], Ports = ports }] },
            "hostSuffix" => new() { To = [new() { Hosts = [$"*.host-{i}.example.com"], Ports = ports }] },
            "path" => new() { To = [new() { Paths = [$"/path-{i}"], Ports = ports }] },
            "pathPrefix" => new() { To = [new() { Paths = [$"/path-{i}/*"], Methods = ["GET"], Ports = ports }] },
            "pathTemplate" => new() { To = [new() { Paths = [$"/path-{i}/{{*}}/x/{{**}}"], Ports = ports }] },
            "principal" => new() { From = [new() { RequestPrincipals = [$"https://issuer.example/user-{i}"] }], When = [condition] },
            "issuer" => new() { From = [new() { RequestPrincipals = [$"https://issuer.example/{i}/*"] }], When = [condition] },
            "subject" => new() { From = [new() { RequestPrincipals = [$"*/user-{i}"] }], When = [condition] },
            "peer" => new() { From = [new() { Principals = [$"cluster.local/ns/n/sa/user-{i}"] }], When = [condition] },
            // a hundred hosts with a hundred paths each: neither by itself leaves few rules
            "hostAndPath" => new() { To = [new() { Hosts = [$"host-{i / 100}.example.com"], Paths = [$"/path-{i % 100}"], Ports = ports }] },
            _ => new()
            {
                To = [new() { Hosts = [$"host-{i}.example.com"], Ports = ports }, new() { Paths = [$"/path-{i}"], Ports = ports }],
                From = [new() { RequestPrincipals = ["*"] }],
            },
        };
    }

    private static CountingRequest Request(string kind, int i, Counter counter)
    {
        var request = new CountingRequest { Counter = counter, Claims = TestRequest.ClaimsOf($$"""{ "iss": "https://issuer.example", "sub": "user-{{i}}" }""") };
        return kind switch
        {
            "host" => request with { Authority = $"hOst-{i}.Example.com:8080" },
            "hostSuffix" => request with { Authority = $"WWW.host-{i}.Example.com" },
            "path" => request with { Path = $"/path-{i}" },
            "pathPrefix" => request with { Path = $"/path-{i}/a/b" },
            "pathTemplate" => request with { Path = $"/path-{i}/a/x/b" },
            "issuer" => request with { Claims = TestRequest.ClaimsOf($$"""{ "iss": "https://issuer.example/{{i}}", "sub": "me" }""") },
            "peer" => request with { PeerCertificate = new([$"spiffe://cluster.local/ns/n/sa/user-{i}"], [], "") },
            "hostAndPath" => request with { Authority = $"host-{i / 100}.example.com", Path = $"/path-{i % 100}" },
            "mixed" => i % 2 == 0 ? request with { Authority = $"host-{i}.example.com" } : request with { Path = $"/path-{i}" },
            _ => request,
        };
    }

    private sealed class Counter
    {
        public int Count { get; set; }
    }

    private readonly record struct CountingRequest() : IRequestAttributes
    {
        public required Counter Counter { get; init; }

        public string Method => "GET";

        public string Scheme => "http";

        public string Authority { get; init; } = "shop.example.com";

        public string Path { get; init; } = "/";

        public string? Query => null;

        public IPAddress? PeerAddress => null;

        public IPAddress? RemoteAddress => null;

        public IPAddress? LocalAddress => null;

        public int LocalPort
        {
            get
            {
                Counter.Count++;
                return 8080;
            }
        }

        public PeerCertificate? PeerCertificate { get; init; }

        public string? ServerName => null;

        public ClaimSet? Claims { get; init; }

        public HeaderValues GetHeader(string name) => default;
    }
}
