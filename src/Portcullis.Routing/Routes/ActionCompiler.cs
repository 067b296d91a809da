using System.Collections.Immutable;
using Portcullis.Resources;
using MatchingRegexRewrite = Portcullis.Matching.RegexRewrite;

namespace Portcullis.Routing;

/// <summary>A rule's action; its match blocks share it.</summary>
internal sealed record CompiledAction(
    HttpRule Rule, ForwardAction? Forward, RedirectAction? Redirect, DirectResponseAction? DirectResponse, HeaderMutations ResponseHeaders)
{
    public CompiledRoute ToRoute(string name, PathMatch path, RouteConditions conditions) => new()
    {
        Name = name,
        VirtualService = Rule.Owner.Id,
        RuleIndex = Rule.Index,
        Action = Redirect is not null ? RouteAction.Redirect : DirectResponse is not null ? RouteAction.DirectResponse : RouteAction.Forward,
        Forward = Forward,
        Redirect = Redirect,
        DirectResponse = DirectResponse,
        ResponseHeaders = ResponseHeaders,
        Path = path,
        Conditions = conditions,
    };
}

/// <summary>Compiles what a rule does. A rule that says nothing usable is left out, with an error.</summary>
internal sealed class ActionCompiler(ClusterCompiler clusters, StringMatchCompiler strings, MeshTraffic mesh, ProblemReporter problems)
{
    public CompiledAction? Compile(HttpRule rule, RouteScope scope)
    {
        var route = rule.Route;
        var headers = HeaderCompiler.Compile(route.Headers, rule.Owner, rule.FieldPath, problems);
        var response = HeaderLevel.AsOne(headers.Response, HeaderLevel.None);
        if (route.Redirect is { } redirect)
        {
            return CompileRedirect(redirect, rule, scope) is { } action ? new(rule, null, action, null, response) : null;
        }

        if (route.DirectResponse is { } direct)
        {
            if (direct.Status is < 200 or > 599)
            {
                return Refuse<CompiledAction>(rule, ".directResponse.status", $"the status {direct.Status} is not one of 200 to 599");
            }

            return new(rule, null, null, new(direct.Status, direct.Body ?? default), response);
        }

        if (route.Route.IsEmpty)
        {
            return Refuse<CompiledAction>(rule, "", "the rule has no `route`, `redirect`, `directResponse` or `delegate`");
        }

        return CompileForward(rule, headers, scope) is { } forward ? new(rule, forward, null, null, response) : null;
    }

    private RedirectAction? CompileRedirect(HttpRedirect redirect, HttpRule rule, RouteScope scope)
    {
        if (redirect.RedirectCode is not (301 or 302 or 303 or 307 or 308))
        {
            return Refuse<RedirectAction>(
                rule, ".redirect.redirectCode", $"the status {redirect.RedirectCode} is not a redirect that can be sent", "use 301, 302, 303, 307 or 308");
        }

        if (redirect.PrefixRewrite is not null && rule.Route.Match.Any(m => m.Uri is { Kind: StringMatchKind.Exact or StringMatchKind.Regex }))
        {
            return Refuse<RedirectAction>(rule, ".redirect.prefixRewrite", "a prefix can be rewritten only where every `uri` match is a `prefix`");
        }

        var port = redirect.DerivePort == "FROM_REQUEST_PORT" ? scope.Port : redirect.Port;
        var scheme = NullIfEmpty(redirect.Scheme)?.ToLowerInvariant();
        var isDefault = (scheme ?? (scope.IsTls ? "https" : "http"), port) is ("http", 80) or ("https", 443);
        return new()
        {
            Status = redirect.RedirectCode,
            Scheme = scheme,
            Authority = NullIfEmpty(redirect.Authority),
            Port = isDefault ? null : port,
            Path = NullIfEmpty(redirect.Uri),
            PrefixRewrite = redirect.PrefixRewrite,
        };
    }

    private ForwardAction? CompileForward(HttpRule rule, CompiledHeaders headers, RouteScope scope)
    {
        var route = rule.Route;
        var several = route.Route.Length > 1;
        var destinations = ImmutableArray.CreateBuilder<WeightedDestination>(route.Route.Length);
        for (var i = 0; i < route.Route.Length; i++)
        {
            var written = route.Route[i];
            if (written.Weight < 0)
            {
                return Refuse<ForwardAction>(rule, $".route[{i}].weight", "a weight cannot be negative");
            }

            if (several && written.Weight == 0)
            {
                continue;
            }

            var own = written.Headers is null
                ? CompiledHeaders.None
                : HeaderCompiler.Compile(written.Headers, rule.Owner, $"{rule.FieldPath}.route[{i}]", problems);
            var target = Resolve(written.Destination, rule, "route", i, scope);
            destinations.Add(new()
            {
                Cluster = target.Cluster,
                ClusterName = target.Name,
                Weight = several ? written.Weight : 1,
                Authority = NullIfEmpty(route.Rewrite?.Authority) ?? headers.Authority ?? own.Authority,
                RequestHeaders = several ? HeaderLevel.InSequence(headers.Request, own.Request) : HeaderLevel.AsOne(headers.Request, own.Request),
                ResponseHeaders = several ? HeaderLevel.InSequence(headers.Response, own.Response) : HeaderLevel.AsOne(headers.Response, own.Response),
            });
        }

        if (destinations.Count == 0)
        {
            return Refuse<ForwardAction>(rule, ".route", "every destination has weight 0", "give at least one a weight above 0");
        }

        if (!TryRewrite(route.Rewrite, rule, out var rewrite))
        {
            return null;
        }

        var timeout = route.Timeout is { Ticks: > 0 } limit ? limit : (TimeSpan?)null;
        var retry = RetryPolicy.Compile(route.Retries ?? mesh.Retries, timeout, out var unknown);
        if (unknown is not null)
        {
            problems.Error(rule.Owner, rule.FieldPath + ".retries.retryOn", ProblemCodes.InvalidValue, $"`{unknown}` is not a condition to retry on");
        }

        var fault = FaultPolicy.Compile(route.Fault, out var status);
        if (status is not null)
        {
            problems.Error(rule.Owner, rule.FieldPath + ".fault.abort.grpcStatus", ProblemCodes.InvalidValue, $"`{status}` is not a gRPC status");
        }

        return new(destinations.DrainToImmutable())
        {
            PathRewrite = rewrite,
            Timeout = timeout,
            Retry = retry,
            Fault = fault,
            Mirrors = Mirrors(rule, scope),
            Cors = CompiledCorsPolicy.Compile(route.CorsPolicy, strings, rule, problems),
        };
    }

    private bool TryRewrite(HttpRewrite? written, HttpRule rule, out PathRewrite? rewrite)
    {
        rewrite = null;
        if (written?.UriRegexRewrite is { } regex)
        {
            if (!MatchingRegexRewrite.TryCompile(regex.Match, regex.Rewrite, out var compiled, out var reason))
            {
                problems.Error(rule.Owner, rule.FieldPath + ".rewrite.uriRegexRewrite", ProblemCodes.InvalidValue, reason);
                return false;
            }

            rewrite = PathRewrite.OfRegex(compiled);
        }
        else if (NullIfEmpty(written?.Uri) is { } uri)
        {
            rewrite = PathRewrite.OfMatch(uri);
        }

        return true;
    }

    private ImmutableArray<MirrorDestination> Mirrors(HttpRule rule, RouteScope scope)
    {
        if (rule.Route.Mirrors.IsEmpty)
        {
            return [];
        }

        var mirrors = ImmutableArray.CreateBuilder<MirrorDestination>(rule.Route.Mirrors.Length);
        for (var i = 0; i < rule.Route.Mirrors.Length; i++)
        {
            var written = rule.Route.Mirrors[i];
            if (written.Percentage > 0)
            {
                var target = Resolve(written.Destination, rule, "mirrors", i, scope);
                mirrors.Add(new(target.Cluster, target.Name, Math.Min(written.Percentage, 100)));
            }
        }

        return mirrors.ToImmutable();
    }

    private ResolvedDestination Resolve(Destination destination, HttpRule rule, string list, int index, RouteScope scope)
    {
        var target = clusters.Resolve(destination, rule.Owner.Metadata.Namespace, scope.Port);
        if (target.Reason is { } reason)
        {
            problems.Warning(
                rule.Owner, $"{rule.FieldPath}.{list}[{index}].destination.{target.Field}", ProblemCodes.DanglingReference, $"{reason}; requests are answered 503");
        }

        return target;
    }

    private T? Refuse<T>(HttpRule rule, string field, string message, string? remedy = null) where T : class
    {
        problems.Error(rule.Owner, rule.FieldPath + field, ProblemCodes.InvalidValue, message + "; the rule is left out", remedy);
        return null;
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
