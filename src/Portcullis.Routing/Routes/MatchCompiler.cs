using Portcullis.Matching;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>Where routes are compiled for: a server of a Gateway, and the gateway workload itself.</summary>
/// <param name="GatewayId"><c>namespace/name</c>.</param>
/// <param name="Port">Declared number.</param>
/// <param name="IsTls">The server terminates TLS.</param>
internal readonly record struct RouteScope(string GatewayId, int Port, bool IsTls);

/// <summary>Compiles match blocks (routing.md §2.4).</summary>
internal sealed class MatchCompiler(WorkloadIdentity workload, StringMatchCompiler strings, ProblemReporter problems)
{
    /// <summary>Whether what is known before any request allows a block to match: port, gateway, labels and namespace of the gateway.</summary>
    public bool Applies(HttpMatchRequest block, RouteScope scope)
    {
        if (block.Port is > 0 and var port && port != scope.Port)
        {
            return false;
        }

        return block.Gateways.IsEmpty
            ? Labels.Contain(workload.Labels, block.SourceLabels) && (string.IsNullOrEmpty(block.SourceNamespace) || block.SourceNamespace == workload.Namespace)
            : block.Gateways.Contains(scope.GatewayId);
    }

    /// <summary>Compiles what is to be compared with requests.</summary>
    /// <returns><see langword="null"/>: some condition cannot be compiled, so the block must not match at all.</returns>
    public (PathMatch Path, RouteConditions Conditions)? Compile(HttpMatchRequest block, HttpRule rule, int index)
    {
        if (PathMatch.TryCompile(block.Uri, block.IgnoreUriCase, strings, out var error) is not { } path)
        {
            problems.Error(rule.Owner, FieldPath(rule, index) + ".uri.regex", ProblemCodes.InvalidValue, error!);
            return null;
        }

        if (block is { Method: null, Scheme: null, Authority: null, Headers.IsEmpty: true, WithoutHeaders.IsEmpty: true, QueryParams.IsEmpty: true })
        {
            return (path, RouteConditions.None);
        }

        return CompileConditions(block, rule, index) is { } conditions ? (path, conditions) : null;
    }

    private RouteConditions? CompileConditions(HttpMatchRequest block, HttpRule rule, int index)
    {
        var conditions = new List<RouteCondition>();
        var good = Add(block.Method, "method", v => new(ConditionSubject.Method, v))
            & Add(block.Scheme, "scheme", v => new(ConditionSubject.Scheme, v))
            & Add(block.Authority, "authority", v => new(ConditionSubject.Authority, v));
        foreach (var (name, match) in block.Headers)
        {
            good &= AddHeader(name, match, "headers", isNegated: false);
        }

        foreach (var (name, match) in block.WithoutHeaders)
        {
            good &= AddHeader(name, match, "withoutHeaders", isNegated: true);
        }

        foreach (var (name, match) in block.QueryParams)
        {
            good &= Add(match, "queryParams." + name, v => new(name, v));
        }

        return good ? new([.. conditions]) : null;

        bool Add(StringMatch? match, string field, Func<StringMatcher, RouteCondition> make)
        {
            if (match is null)
            {
                return true;
            }

            if (!strings.TryCompile(match, out var value, out var reason))
            {
                problems.Error(rule.Owner, $"{FieldPath(rule, index)}.{field}.regex", ProblemCodes.InvalidValue, reason);
                return false;
            }

            conditions.Add(make(value));
            return true;
        }

        bool AddHeader(string name, StringMatch match, string list, bool isNegated)
        {
            var field = $"{list}.{name}";
            var isPresence = StringMatchCompiler.IsPresence(match);
            if (!ClaimPath.IsRouteKey(name))
            {
                var header = name.Equals("host", StringComparison.OrdinalIgnoreCase) ? ":authority" : name;
                return Add(match, field, v => new(new HeaderMatcher(header, v), v, isPresence, isNegated));
            }

            if (ClaimPath.TryParseRouteKey(name, out var claim))
            {
                return Add(match, field, v => new(new ClaimMatcher(claim, v), isPresence, isNegated));
            }

            problems.Error(
                rule.Owner, $"{FieldPath(rule, index)}.{field}", ProblemCodes.InvalidValue, $"`{name}` names no claim",
                "write `@request.auth.claims.NAME` or `@request.auth.claims[NAME][NAME]`");
            return false;
        }
    }

    private static string FieldPath(HttpRule rule, int index) => $"{rule.FieldPath}.match[{index}]";
}
