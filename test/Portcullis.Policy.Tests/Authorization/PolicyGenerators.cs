using System.Collections.Immutable;
using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Portcullis.Matching;
using Portcullis.Resources;

namespace Portcullis.Policy.Tests.Authorization;

/// <summary>Random policies, requests and tokens over a small vocabulary, so that they meet often; some values are broken on purpose.</summary>
internal static class PolicyGenerators
{
    private static readonly string[] Paths =
        ["/admin", "/admin/*", "*/x", "*", "/a/{*}", "/a/{**}", "/{**}/x", "/a/{*}/c/{**}", "/*", "bad{", "/a/{*}.txt", ""];

    private static readonly string[] RequestPaths =
        ["/", "/admin", "/admin/x", "//admin", "/admin%2Fx", "/a/b", "/a/", "/a/b/c/x", "/a/b//c/", "/x", "/a%5cb"];

    private static readonly string[] Hosts = ["shop.example.com", "SHOP.*", "*.example.com", "shop.example.com:*", "*", "other"];
    private static readonly string[] Methods = ["GET", "POST", "P*", "*", "*T", "get"];
    private static readonly string[] Ports = ["8080", "8443", "0", "65536", "http"];
    private static readonly string[] Blocks = ["10.0.0.0/8", "10.1.2.3", "192.0.2.0/24", "::1", "2001:db8::/32", "bad", "10.0.0.0/33"];
    private static readonly IPAddress?[] Addresses =
        [IPAddress.Parse("10.1.2.3"), IPAddress.Parse("192.0.2.9"), IPAddress.Parse("::1"), IPAddress.Parse("::ffff:10.1.2.3"), IPAddress.Parse("2001:db8::5"), null];

    private static readonly string[] RequestPrincipals =
        ["*", "*/*", "https://a.example/alice", "https://a.example/*", "https://a.example/al*", "*.example/alice", "*ice", "https://a*", "b/", "b", "b*", "b/bob", "*/bob"];

    private static readonly string[] Principals =
        ["*", "cluster.local/ns/a/sa/b", "td1/ns/a/sa/b", "*/ns/a/sa/b", "*1/ns/a/sa/b", "*sa/b", "td1/ns/*", "old/ns/a/sa/*", "a.b"];

    private static readonly string[] Namespaces = ["a", "*", "a*", "*a", "x*y", "a/sa"];
    private static readonly string[] ServiceAccounts = ["b", "a/b", "a/cert.io", "x/y/z", "a/*", "/b", ""];
    private static readonly string[] TrustDomains = ["*", "td1", "td*", "*d1", "old", "t*1", "a/b", "cluster.local"];

    private static readonly string[] PeerNames =
    [
        "spiffe://td1/ns/a/sa/b", "spiffe://old/ns/a/sa/b", "spiffe://td1/ns/a/sa/certXio", "spiffe://td1/ns/a/sa/cert.io", "spiffe://td9/x/ns/a/y/sa/b/z",
        "spiffe://td1/ns/a//sa/b", "spiffe:///ns/a/sa/b", "spiffe://td1/ns/a/ns/a/sa/b", "spiffe://td1", "client.example", "CN=client", "",
    ];

    private static readonly string[] ClaimValues = ["admin", "adm*", "*min", "*", "read", "read write", "https://a.example", "b"];
    private static readonly string[] Texts = ["v1", "v*", "*1", "*", "", "v1,v2", "/admin?q=1", "/a*", "GET"];

    private static readonly string[] Keys =
    [
        "request.headers[x-a]", "request.headers[X-B]", "request.headers[:path]", "request.headers[:method]", "request.headers[]", "source.ip", "remote.ip",
        "destination.ip", "source.namespace", "source.serviceAccount", "source.principal", "source.trustDomain", "request.auth.principal",
        "request.auth.audiences", "request.auth.presenter", "request.auth.claims[g]", "request.auth.claims[r][x]", "request.auth.claims[scope]",
        "request.auth.claims[iss]", "request.auth.claims[iss][x]", "request.auth.claims[a.b]", "request.auth.claims[a", "destination.port", "connection.sni",
        "experimental.envoy.filters.network.x[k]", "no.such.key",
    ];

    public static string?[] Issuers { get; } = ["https://a.example", "b", null];

    public static Gen<MeshConfig> Meshes { get; } =
        from denied in Gen.Elements(Enum.GetValues<AuthorizationDeniedMode>())
        from subject in Gen.Elements(Enum.GetValues<PrincipalWithoutSubMode>())
        from readings in Gen.Elements(Enum.GetValues<DenyPathReadingsMode>())
        from aliases in Gen.Elements<ImmutableArray<string>>([], ["old"], ["old", "d1"])
        select MeshConfig.Default with
        {
            AuthorizationDenied = denied,
            PrincipalWithoutSub = subject,
            DenyPathReadings = readings,
            TrustDomain = "td1",
            TrustDomainAliases = aliases,
        };

    public static Gen<ClaimSet> Claims { get; } =
        from iss in Gen.Elements("\"iss\":\"https://a.example\",", "\"iss\":\"b\",", "\"iss\":\"\",", "")
        from sub in Gen.Elements("\"sub\":\"alice\",", "\"sub\":\"bob\",", "\"sub\":\"*\",", "\"sub\":\"\",", "")
        from g in Gen.Elements("\"admin\"", "\"dev\"", "[\"dev\",\"admin\"]", "5", "null", "[]", "\"\"", "[1,[\"admin\"]]")
        from r in Gen.Elements("{\"x\":\"admin\"}", "{\"x\":[\"read\"]}", "\"admin\"", "{}")
        from scope in Gen.Elements("\"read write\"", "[\"read write\"]", "\" \"", "\"admin\"")
        from aud in Gen.Elements("\"admin\"", "[\"b\",\"read\"]", "[]")
        from dotted in Gen.Elements("\"a.b\":\"admin\",", "\"a\":{\"b\":\"admin\"},", "")
        select TestRequest.ClaimsOf($$"""{ {{iss}} {{sub}} {{dotted}} "g": {{g}}, "r": {{r}}, "scope": {{scope}}, "aud": {{aud}}, "azp": {{g}} }""");

    public static Gen<TestRequest> Requests { get; } =
        from path in Gen.Elements(RequestPaths)
        from query in Gen.Elements(null, "q=1", "")
        from method in Gen.Elements("GET", "POST", "PUT", "OPTIONS")
        from host in Gen.Elements("shop.example.com", "Shop.Example.com:8443", "example.com", "other")
        from port in Gen.Elements(8080, 8443, 0)
        from peer in Gen.Elements(Addresses)
        from remote in Gen.Elements(Addresses)
        from local in Gen.Elements(Addresses)
        from names in Gen.Elements(PeerNames).Three()
        from hasCertificate in Gen.Elements(true, false)
        from lines in Gen.SubListOf("v1", "v2", "", "v1,v2")
        from b in Gen.Elements<string[]>([], ["v1"], [""])
        from preflight in Gen.Frequency((4, Gen.Constant(false)), (1, Gen.Constant(true)))
        from sni in Gen.Elements(null, "v1", "")
        from anonymous in Gen.Elements(true, false, false)
        from claims in Claims
        select new TestRequest
        {
            Path = path,
            Query = query,
            Method = method,
            Authority = host,
            LocalPort = port,
            PeerAddress = peer,
            RemoteAddress = remote,
            LocalAddress = local,
            PeerCertificate = hasCertificate ? new PeerCertificate([names.Item1], [names.Item2], names.Item3) : null,
            Headers = preflight
                ? [("x-a", [.. lines]), ("x-b", b), ("origin", ["o"]), ("access-control-request-method", ["GET"])]
                : [("x-a", [.. lines]), ("x-b", b)],
            ServerName = sni,
            Claims = anonymous ? null : claims,
        };

    public static Gen<ImmutableArray<AuthorizationPolicy>> PolicySets { get; } =
        from count in Gen.Choose(0, 4)
        from policies in Policy().ArrayOf(count)
        select Named(policies);

    /// <summary>So many that they are found by an index, most of them by what they ask of host, path, certificate, token and method.</summary>
    public static Gen<ImmutableArray<AuthorizationPolicy>> ManyPolicies { get; } =
        from count in Gen.Choose(10, 60)
        from action in Gen.Elements(PolicyAction.Allow, PolicyAction.Deny, PolicyAction.Custom)
        from policies in Gen.Frequency(
            (1, Policy()),
            (6, from rules in Gen.Frequency((8, SelectiveRule()), (1, Rule()), (1, TokenRule())).ArrayOf(2) select Policies.Of("p", action, [.. rules]))).ArrayOf(count)
        select Named(policies);

    private static ImmutableArray<AuthorizationPolicy> Named(AuthorizationPolicy[] policies) =>
        [.. policies.Select((p, i) => p with { Metadata = p.Metadata with { Name = $"p{i}" } })];

    /// <summary>A rule that few requests match: every choice of it asks for something.</summary>
    private static Gen<AuthorizationRule> SelectiveRule() =>
        from sources in SelectiveSource().ArrayOf(2)
        from sourceCount in Gen.Choose(0, 2)
        from operations in SelectiveOperation().ArrayOf(2)
        from operationCount in Gen.Choose(0, 2)
        from conditions in Gen.Frequency((6, Gen.Constant(ImmutableArray<Condition>.Empty)), (1, Few(Condition(), 1)))
        select new AuthorizationRule { From = [.. sources.Take(sourceCount)], To = [.. operations.Take(operationCount)], When = conditions };

    private static Gen<RequestSource> SelectiveSource() => Gen.OneOf(
        from values in OneOrTwo(RequestPrincipals)
        from subject in Gen.Elements("", "alice", "bob", "carol")
        select new RequestSource { RequestPrincipals = subject.Length == 0 ? values : [.. values, $"https://a.example/{subject}"] },
        from values in OneOrTwo(Principals)
        select new RequestSource { Principals = values });

    private static Gen<Operation> SelectiveOperation() =>
        from kind in Gen.Choose(0, 4)
        from hosts in OneOrTwo(Hosts)
        from paths in OneOrTwo(Paths)
        from methods in OneOrTwo(Methods)
        from notPaths in Gen.Frequency((6, Gen.Constant(ImmutableArray<string>.Empty)), (1, OneOrTwo(Paths)))
        select new Operation
        {
            Hosts = kind is 0 or 3 ? hosts : [],
            Paths = kind is 1 or 3 ? paths : [],
            Methods = kind is 2 or 3 or 4 ? methods : [],
            NotPaths = notPaths,
        };

    private static Gen<ImmutableArray<string>> OneOrTwo(string[] values) =>
        Gen.Choose(1, 2).SelectMany(n => Gen.Elements(values).ArrayOf(n)).Select(v => v.ToImmutableArray());

    private static Gen<AuthorizationPolicy> Policy() =>
        from action in Gen.Frequency(
            (4, Gen.Constant(PolicyAction.Allow)), (3, Gen.Constant(PolicyAction.Deny)), (1, Gen.Constant(PolicyAction.Audit)), (1, Gen.Constant(PolicyAction.Custom)))
        from dryRun in Gen.Frequency((6, Gen.Constant<string?>(null)), (1, Gen.Elements<string?>("true", "0", "yes")))
        from count in Gen.Choose(0, 3)
        from rules in Gen.Frequency((2, Rule()), (1, TokenRule())).ArrayOf(count)
        select Policies.Of("p", action, [.. rules]) with
        {
            Metadata = new ResourceMetadata
            {
                Name = "p",
                Namespace = "istio-system",
                Annotations = dryRun is null
                    ? ImmutableDictionary<string, string>.Empty
                    : ImmutableDictionary<string, string>.Empty.Add("istio.io/dry-run", dryRun),
            },
        };

    private static Gen<AuthorizationRule> Rule() =>
        from sources in Few(Source(), 2)
        from operations in Few(Operation(), 2)
        from conditions in Few(Condition(), 2)
        select new AuthorizationRule { From = sources, To = operations, When = conditions };

    /// <summary>A rule that only the token decides.</summary>
    private static Gen<AuthorizationRule> TokenRule() => Gen.OneOf(
        from values in Some(RequestPrincipals)
        from isPositive in Gen.Elements(true, false)
        select new AuthorizationRule
        {
            From = [isPositive ? new RequestSource { RequestPrincipals = values } : new RequestSource { NotRequestPrincipals = values }],
        },
        from key in Gen.Elements(Keys.Where(k => k.StartsWith("request.auth.", StringComparison.Ordinal)))
        from value in Gen.Elements(ClaimValues)
        from isPositive in Gen.Elements(true, false)
        select new AuthorizationRule
        {
            When = [new Condition { Key = key, Values = isPositive ? [value] : [], NotValues = isPositive ? [] : [value] }],
        });

    private static Gen<RequestSource> Source() =>
        from principals in Pair(Principals)
        from requestPrincipals in Pair(RequestPrincipals)
        from namespaces in Pair(Namespaces)
        from accounts in Pair(ServiceAccounts)
        from domains in Pair(TrustDomains)
        from blocks in Pair(Blocks)
        from remote in Pair(Blocks)
        select new RequestSource
        {
            Principals = principals.Is,
            NotPrincipals = principals.Not,
            RequestPrincipals = requestPrincipals.Is,
            NotRequestPrincipals = requestPrincipals.Not,
            Namespaces = namespaces.Is,
            NotNamespaces = namespaces.Not,
            ServiceAccounts = accounts.Is,
            NotServiceAccounts = accounts.Not,
            TrustDomains = domains.Is,
            NotTrustDomains = domains.Not,
            IpBlocks = blocks.Is,
            NotIpBlocks = blocks.Not,
            RemoteIpBlocks = remote.Is,
            NotRemoteIpBlocks = remote.Not,
        };

    private static Gen<Operation> Operation() =>
        from hosts in Pair(Hosts)
        from methods in Pair(Methods)
        from ports in Pair(Ports)
        from paths in Pair(Paths)
        select new Operation
        {
            Hosts = hosts.Is,
            NotHosts = hosts.Not,
            Methods = methods.Is,
            NotMethods = methods.Not,
            Ports = ports.Is,
            NotPorts = ports.Not,
            Paths = paths.Is,
            NotPaths = paths.Not,
        };

    private static Gen<Condition> Condition() =>
        from key in Gen.Elements(Keys)
        from isPositive in Gen.Elements(true, false)
        from values in Some(ValuesOf(key))
        from notValues in Some(ValuesOf(key))
        from both in Gen.Frequency((5, Gen.Constant(false)), (1, Gen.Constant(true)))
        select new Condition { Key = key, Values = isPositive || both ? values : [], NotValues = !isPositive || both ? notValues : [] };

    private static string[] ValuesOf(string key) => key switch
    {
        "source.ip" or "remote.ip" or "destination.ip" => Blocks,
        "source.namespace" => Namespaces,
        "source.serviceAccount" => ServiceAccounts,
        "source.principal" => Principals,
        "source.trustDomain" => TrustDomains,
        "request.auth.principal" => RequestPrincipals,
        "destination.port" => Ports,
        _ => key.StartsWith("request.auth", StringComparison.Ordinal) ? ClaimValues : Texts,
    };

    /// <summary>Mostly absent, so that rules have a chance to match.</summary>
    private static Gen<(ImmutableArray<string> Is, ImmutableArray<string> Not)> Pair(string[] values) => Gen.Frequency(
        (8, Gen.Constant<(ImmutableArray<string>, ImmutableArray<string>)>(([], []))),
        (2, Some(values).Select(v => (v, ImmutableArray<string>.Empty))),
        (1, Some(values).Select(v => (ImmutableArray<string>.Empty, v))));

    private static Gen<ImmutableArray<string>> Some(string[] values) =>
        Gen.Choose(0, 2).SelectMany(n => Gen.Elements(values).ArrayOf(n)).Select(v => v.ToImmutableArray());

    private static Gen<ImmutableArray<T>> Few<T>(Gen<T> item, int most) =>
        Gen.Choose(0, most).SelectMany(n => item.ArrayOf(n)).Select(v => v.ToImmutableArray());
}
