using System.Collections.Immutable;
using System.Globalization;
using Portcullis.Gateway.Explanation;
using Portcullis.Resources;
using Portcullis.Resources.PolicyTests;

namespace Portcullis.Gateway.PolicyTests;

/// <summary>Holds what became of a request against what was expected.</summary>
internal sealed class ExpectationCheck(ImmutableArray<string> policies)
{
    private const string None = "none";

    /// <summary>What differs, a line each.</summary>
    public IEnumerable<string> Differences(TestExpectation expected, Judgement actual)
    {
        if (actual.Obstacle is { } obstacle)
        {
            yield return obstacle;
            yield break;
        }

        if (expected.IsAllowed is { } allowed && allowed != actual.IsAllowed)
        {
            yield return $"expected {(allowed ? "allow" : "deny")}, got {actual}";
        }

        if (expected.Status is { } status && status != actual.Status)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"expected status {status}, got {actual}");
        }

        if (expected.Policy is { } policy && !IsNamed(policy, actual.Policy))
        {
            yield return $"expected a decision by {(policy == None ? "no policy" : policy)}, it was {(actual.Policy is null ? "no policy's" : $"by {actual.Policy}")}{Misspelt(policy)}";
        }

        if (expected.Rule is { } rule && rule != actual.Rule)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"expected a decision by rule {rule}, it was {(actual.Rule is { } by ? $"by rule {by}" : "by no rule")}");
        }

        if (expected.Body is { } body && body != actual.Body)
        {
            yield return $"expected the body `{body}`, {(actual.Body is null ? "the gateway does not make it" : $"it is `{actual.Body}`")}";
        }

        if (expected.Reason is { } reason && !actual.Reason.Contains(reason, StringComparison.OrdinalIgnoreCase))
        {
            yield return $"expected a reason with `{reason}`, it is `{actual.Reason}`";
        }

        if (expected.Principal is { } principal && (principal == None ? actual.Principal is not null : principal != actual.Principal))
        {
            yield return $"expected the principal `{principal}`, it is {(actual.Principal is null ? "none" : $"`{actual.Principal}`")}";
        }

        if (expected.Route is { } route && !IsRoute(route, actual.Explained.Route))
        {
            yield return $"expected the route {route}, it is {Describe(actual.Explained.Route)}";
        }
    }

    private static bool IsNamed(string expected, string? actual) => expected == None
        ? actual is null
        : actual is not null && (expected == actual || (!expected.Contains('/', StringComparison.Ordinal) && actual.EndsWith($"/{expected}", StringComparison.Ordinal)));

    private string Misspelt(string policy)
    {
        if (policy == None || policies.Any(p => IsNamed(policy, p)))
        {
            return "";
        }

        var near = Spelling.Nearest(policy, policies) ?? Spelling.Nearest(policy, policies.Select(p => p[(p.IndexOf('/', StringComparison.Ordinal) + 1)..]));
        return $"; no policy of that name applies to this gateway{(near is null ? "" : $", did you mean {near}?")}";
    }

    private static bool IsRoute(TestRouteExpectation expected, RouteExplanation? actual) =>
        actual is not null
        && (expected.Action is null || expected.Action == actual.Action)
        && (expected.VirtualService is null || IsNamed(expected.VirtualService, actual.VirtualService))
        && (expected.Name is null || expected.Name == actual.Name)
        && ((expected.Host ?? expected.Subset) is null && expected.Port is null || actual.Destinations.Any(d => IsDestination(expected, d)));

    /// <summary>Clusters are called <c>outbound|port|subset|host</c>.</summary>
    private static bool IsDestination(TestRouteExpectation expected, string cluster) =>
        cluster.Split('|') is [_, var port, var subset, var host]
        && (expected.Host is null || host == expected.Host || host.StartsWith($"{expected.Host}.", StringComparison.Ordinal))
        && (expected.Port is null || port == expected.Port.Value.ToString(CultureInfo.InvariantCulture))
        && (expected.Subset is null || subset == expected.Subset);

    private static string Describe(RouteExplanation? route) => route switch
    {
        null => "none: the request does not pass",
        { Destinations.IsEmpty: false } => $"to {string.Join(", ", route.Destinations)} ({route.VirtualService} {route.Rule})",
        { VirtualService: { } service } => $"{route.Action} ({service} {route.Rule})",
        { Problem: { } problem } => $"none: {problem}",
        _ => route.Action,
    };
}
