using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>Where routes are compiled for: a server of a Gateway, and the gateway workload itself.</summary>
/// <param name="GatewayId"><c>namespace/name</c>.</param>
/// <param name="Port">Declared number.</param>
/// <param name="IsTls">The server terminates TLS.</param>
internal readonly record struct RouteScope(string GatewayId, int Port, bool IsTls);

/// <summary>Compiles match blocks (routing.md §2.4).</summary>
internal sealed class MatchCompiler(WorkloadIdentity workload, RegexCache regexes, ProblemReporter problems)
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
    public (PathMatch Path, RouteConditions Conditions)? Compile(HttpMatchRequest block, VirtualService owner, string fieldPath)
    {
        if (PathMatch.TryCompile(block.Uri, block.IgnoreUriCase, regexes, out var error) is not { } path)
        {
            problems.Error(owner, fieldPath + ".uri.regex", ProblemCodes.InvalidValue, error!);
            return null;
        }

        var conditions = ImmutableArray.CreateBuilder<RouteCondition>();
        var good = Add(ConditionSubject.Method, "", block.Method, "method")
            & Add(ConditionSubject.Scheme, "", block.Scheme, "scheme")
            & Add(ConditionSubject.Authority, "", block.Authority, "authority");
        foreach (var (name, match) in block.Headers)
        {
            good &= AddHeader(name, match, "headers", negated: false);
        }

        foreach (var (name, match) in block.WithoutHeaders)
        {
            good &= AddHeader(name, match, "withoutHeaders", negated: true);
        }

        foreach (var (name, match) in block.QueryParams)
        {
            good &= Add(ConditionSubject.QueryParameter, name, match, "queryParams." + name);
        }

        return good ? (path, conditions.Count == 0 ? RouteConditions.None : new([.. conditions])) : null;

        bool Add(ConditionSubject subject, string name, StringMatch? match, string field, bool negated = false, ClaimMatch? claim = null)
        {
            if (match is null)
            {
                return true;
            }

            if (ValueMatcher.TryCompile(match, regexes, out var reason) is not { } value)
            {
                problems.Error(owner, $"{fieldPath}.{field}.regex", ProblemCodes.InvalidValue, reason!);
                return false;
            }

            conditions.Add(new(subject, name, value, negated, claim));
            return true;
        }

        bool AddHeader(string name, StringMatch match, string list, bool negated)
        {
            ClaimMatch? claim = null;
            var field = $"{list}.{name}";
            if (ClaimMatch.IsClaim(name) && !ClaimMatch.TryParse(name, out claim))
            {
                problems.Error(
                    owner, $"{fieldPath}.{field}", ProblemCodes.InvalidValue, $"`{name}` names no claim",
                    "write `@request.auth.claims.NAME` or `@request.auth.claims[NAME][NAME]`");
                return false;
            }

            return Add(claim is null ? SubjectOf(name) : ConditionSubject.Claim, name, match, field, negated, claim);
        }
    }

    private static ConditionSubject SubjectOf(string header) => header.ToLowerInvariant() switch
    {
        ":method" => ConditionSubject.Method,
        ":scheme" => ConditionSubject.Scheme,
        ":authority" or "host" => ConditionSubject.Authority,
        ":path" => ConditionSubject.Path,
        _ => ConditionSubject.Header,
    };
}
