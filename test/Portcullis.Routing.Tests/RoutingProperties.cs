using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Portcullis.Resources;
using Portcullis.Routing.Tests.Support;

namespace Portcullis.Routing.Tests;

/// <summary>A host pattern over few labels, so that patterns overlap often.</summary>
public sealed record HostPattern(string Text);

/// <summary>A concrete host.</summary>
public sealed record ConcreteHost(string Text);

/// <summary>A rule over few values, so that rules overlap often.</summary>
public sealed record RandomRoute(StringMatch? Uri, bool IgnoresCase, StringMatch? Method, StringMatch? Header, StringMatch? Without, StringMatch? Query);

/// <summary>A request over the same values.</summary>
public sealed record RandomRequest(string Path, string Method, string? Header, string? Query);

public static class RoutingArbitraries
{
    private static readonly Gen<string> Label = Gen.Elements("a", "b", "foo");

    private static readonly Gen<string> Name =
        from count in Gen.Choose(2, 4)
        from labels in Label.ArrayOf(count)
        select string.Join('.', labels);

    private static readonly Gen<StringMatch> Match =
        from kind in Gen.Elements(StringMatchKind.Exact, StringMatchKind.Prefix, StringMatchKind.Regex, StringMatchKind.Present)
        from value in Gen.Elements("/", "/a", "/a/b", "/A", "")
        select kind == StringMatchKind.Regex ? new StringMatch(kind, value + ".*") : new(kind, kind == StringMatchKind.Present ? "" : value);

    public static Arbitrary<HostPattern> HostPatterns() => Gen.Frequency(
        (4, Name.Select(n => new HostPattern(n))), (4, Name.Select(n => new HostPattern("*." + n))), (1, Gen.Constant(new HostPattern("*")))).ToArbitrary();

    public static Arbitrary<ConcreteHost> Hosts() => Name.Select(n => new ConcreteHost(n)).ToArbitrary();

    public static Arbitrary<RandomRoute> Routes() => (
        from uri in Match.OrNull()
        from ignoresCase in Gen.Elements(true, false)
        from method in Match.OrNull()
        from header in Match.OrNull()
        from without in Match.OrNull()
        from query in Match.OrNull()
        select new RandomRoute(uri, ignoresCase, method, header, without, query)).ToArbitrary();

    public static Arbitrary<RandomRequest> Requests()
    {
        var value = Gen.Elements("", "/", "/a", "/a/b", "/A/b", "/c");
        return (
            from path in value
            from method in value
            from header in value.OrNull()
            from query in value.OrNull()
            select new RandomRequest("/" + path.TrimStart('/'), method, header, query)).ToArbitrary();
    }
}

[Properties(Arbitrary = [typeof(RoutingArbitraries)], MaxTest = 300)]
public sealed class RoutingProperties
{
    [Property]
    public void Find_IsWhatANaiveScanFinds(HostPattern[] patterns, ConcreteHost host)
    {
        var compiled = Of("*", patterns.Select((p, i) => (new HostPattern[] { p }, i)));

        var exact = patterns.FirstOrDefault(p => p.Text == host.Text);
        var suffix = patterns.Where(p => p.Text != "*" && p.Text[0] == '*' && host.Text.EndsWith(p.Text[1..], StringComparison.Ordinal)).MaxBy(p => p.Text.Length);
        var expected = exact ?? suffix ?? patterns.FirstOrDefault(p => p.Text == "*");
        Assert.Equal(expected?.Text, compiled.Listener.Hosts.Find(host.Text.ToUpperInvariant() + ":80")?.Domain);
    }

    [Property]
    public void Hosts_OfServerAndVirtualService_AreExactlyTheirIntersection(HostPattern server, HostPattern service, ConcreteHost host)
    {
        var compiled = Of(server.Text, [([service], 0)]);

        var served = compiled.Listener.Hosts.Find(host.Text);
        Assert.Equal(Covers(server.Text, host.Text) && Covers(service.Text, host.Text), served is not null);
        if (compiled.Listener.Hosts.All is [var only])
        {
            Assert.Contains(only.Domain, new[] { server.Text, service.Text });
        }
    }

    [Property]
    public void Match_IsTheFirstRouteOfANaiveWalk(RandomRoute[] routes, RandomRequest request)
    {
        var rules = routes.Select(r => new HttpRoute { Match = [Block(r)], DirectResponse = new() { Status = 200 } });
        var compiled = Compiled.From([.. ResourceReader.Read("gw.yaml", Compiled.Gateway).Resources, Service(["foo.com"], 0, [.. rules])]);
        var target = request.Query is { } query ? $"{request.Path}?k={query}" : request.Path;
        (string, string)[] headers = request.Header is { } header ? [("x", header), ("w", header)] : [];

        var actual = compiled.Route(new(target, method: request.Method, headers: headers));

        var expected = Array.FindIndex(routes, r => Holds(r, request));
        Assert.Empty(compiled.Problems);
        Assert.Equal(expected < 0 ? null : expected, actual?.RuleIndex);
    }

    private static HttpMatchRequest Block(RandomRoute route) => new()
    {
        Uri = route.Uri,
        IgnoreUriCase = route.IgnoresCase,
        Method = route.Method,
        Headers = Map("x", route.Header),
        WithoutHeaders = Map("w", route.Without),
        QueryParams = Map("k", route.Query),
    };

    private static bool Holds(RandomRoute route, RandomRequest request)
    {
        var ignoresCase = route.IgnoresCase && route.Uri is { Kind: StringMatchKind.Exact or StringMatchKind.Prefix };
        return (route.Uri is null || Holds(ignoresCase ? route.Uri with { Value = route.Uri.Value.ToUpperInvariant() } : route.Uri, ignoresCase ? request.Path.ToUpperInvariant() : request.Path))
            && (route.Method is null || Holds(route.Method, request.Method))
            && (route.Header is null || (request.Header is not null && Holds(route.Header, request.Header)))
            && (route.Query is null || (request.Query is not null && Holds(route.Query, request.Query)))
            && (route.Without is null || (route.Without.Kind == StringMatchKind.Present ? request.Header is null : !Holds(route.Without, request.Header ?? "")));
    }

    private static bool Holds(StringMatch match, string value) => match.Kind switch
    {
        StringMatchKind.Present => true,
        StringMatchKind.Exact => value == match.Value,
        StringMatchKind.Prefix => value.StartsWith(match.Value, StringComparison.Ordinal),
        _ => value.StartsWith(match.Value[..^2], StringComparison.Ordinal),
    };

    private static ImmutableDictionary<string, StringMatch> Map(string key, StringMatch? match) =>
        match is null ? ImmutableDictionary<string, StringMatch>.Empty : ImmutableDictionary<string, StringMatch>.Empty.Add(key, match);

    private static bool Covers(string pattern, string host) =>
        pattern == "*" || pattern == host || (pattern[0] == '*' && host.EndsWith(pattern[1..], StringComparison.Ordinal));

    private static Compiled Of(string serverHost, IEnumerable<(HostPattern[] Hosts, int Order)> services)
    {
        var gateway = (Gateway)ResourceReader.Read("gw.yaml", Compiled.Gateway).Resources[0];
        gateway = gateway with { Servers = [gateway.Servers[0] with { Hosts = [serverHost] }] };
        var rule = new HttpRoute { DirectResponse = new() { Status = 200 } };
        return Compiled.From([gateway, .. services.Select(s => Service([.. s.Hosts.Select(h => h.Text)], s.Order, [rule]))]);
    }

    private static VirtualService Service(ImmutableArray<string> hosts, int order, ImmutableArray<HttpRoute> rules) => new()
    {
        ApiVersion = "networking.istio.io/v1",
        Kind = "VirtualService",
        Metadata = new() { Name = $"v{order}", Namespace = "default" },
        Origin = new TestOrigin(order),
        Hosts = hosts,
        Gateways = ["istio-system/gw"],
        Http = rules,
    };
}
