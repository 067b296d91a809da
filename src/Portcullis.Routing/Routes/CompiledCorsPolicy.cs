using System.Collections.Immutable;
using System.Globalization;
using Portcullis.Matching;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>What CORS makes of a request.</summary>
public enum CorsOutcome
{
    /// <summary>Nothing: no <c>Origin</c>, or one that is not allowed. Forward, leave the response alone.</summary>
    NotApplicable,

    /// <summary>A preflight to answer with 200 and <see cref="CompiledCorsPolicy.PreflightHeaders"/>; details <c>cors_response</c>.</summary>
    AnswerPreflight,

    /// <summary>Forward, and put <see cref="CompiledCorsPolicy.ResponseHeaders"/> on the backend's response.</summary>
    AllowResponse,
}

/// <summary>A header to put on a response, replacing what is there.</summary>
/// <param name="Name">Lower case.</param>
/// <param name="Value">Value.</param>
public readonly record struct CorsHeader(string Name, string Value);

/// <summary>A route's CORS policy (<c>corsPolicy</c>; routing.md §2.13). Only for routes that forward.</summary>
public sealed class CompiledCorsPolicy
{
    private readonly StringMatcher[] _origins;
    private readonly string _methods;
    private readonly string _headers;
    private readonly string _expose;
    private readonly string? _maxAge;
    private readonly bool _credentials;
    private readonly bool _answersUnmatched;

    private CompiledCorsPolicy(CorsPolicy written, StringMatcher[] origins)
    {
        _origins = origins;
        _methods = string.Join(',', written.AllowMethods);
        _headers = string.Join(',', written.AllowHeaders);
        _expose = string.Join(',', written.ExposeHeaders);
        _maxAge = written.MaxAge is { } age ? ((long)age.TotalSeconds).ToString(CultureInfo.InvariantCulture) : null;
        _credentials = written.AllowCredentials;
        _answersUnmatched = written.UnmatchedPreflights == UnmatchedPreflights.Ignore;
    }

    internal static CompiledCorsPolicy? Compile(CorsPolicy? written, StringMatchCompiler strings, HttpRule rule, ProblemReporter problems)
    {
        if (written is null)
        {
            return null;
        }

        var origins = new List<StringMatcher>();
        for (var i = 0; i < written.AllowOrigins.Length; i++)
        {
            var origin = written.AllowOrigins[i];
            var field = $"{rule.FieldPath}.corsPolicy.allowOrigins[{i}]";
            if (StringMatchCompiler.IsPresence(origin))
            {
                problems.Error(rule.Owner, field, ProblemCodes.InvalidValue, "the origin says nothing; it is left out", "allow every origin with `exact: \"*\"`");
            }
            else if (!strings.TryCompile(origin, out var matcher, out var reason))
            {
                problems.Error(rule.Owner, field + ".regex", ProblemCodes.InvalidValue, reason);
            }
            else
            {
                origins.Add(origin is { Kind: StringMatchKind.Exact, Value: "*" } ? StringMatcher.Present : matcher);
            }
        }

        return new(written, [.. origins]);
    }

    /// <summary>What to do with a request.</summary>
    public CorsOutcome Evaluate<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes
    {
        var origin = First(request.GetHeader("origin"));
        if (origin.Length == 0)
        {
            return CorsOutcome.NotApplicable;
        }

        var isAllowed = AllowsOrigin(origin);
        if (request.Method == "OPTIONS" && First(request.GetHeader("access-control-request-method")).Length > 0)
        {
            return isAllowed || _answersUnmatched ? CorsOutcome.AnswerPreflight : CorsOutcome.NotApplicable;
        }

        return isAllowed ? CorsOutcome.AllowResponse : CorsOutcome.NotApplicable;
    }

    /// <summary>Whether an origin is one of <c>allowOrigins</c>.</summary>
    public bool AllowsOrigin(string origin) => StringMatcher.AnyMatch(_origins, origin);

    /// <summary>The headers of the answer to a preflight; the body is empty, the status 200.</summary>
    /// <param name="origin">The <c>Origin</c> header: echoed when allowed.</param>
    /// <param name="requestedMethod">What a lone <c>*</c> in <c>allowMethods</c> becomes.</param>
    /// <param name="requestedHeaders">What a lone <c>*</c> in <c>allowHeaders</c> becomes.</param>
    public ImmutableArray<CorsHeader> PreflightHeaders(string origin, string? requestedMethod, string? requestedHeaders)
    {
        var headers = ImmutableArray.CreateBuilder<CorsHeader>(5);
        AddOrigin(headers, origin);
        Add(headers, "access-control-allow-methods", _methods == "*" ? requestedMethod : _methods);
        Add(headers, "access-control-allow-headers", _headers == "*" ? requestedHeaders : _headers);
        Add(headers, "access-control-max-age", _maxAge);
        return headers.ToImmutable();
    }

    /// <summary>The headers that a backend's response gets for an allowed origin.</summary>
    /// <param name="origin">The <c>Origin</c> header.</param>
    public ImmutableArray<CorsHeader> ResponseHeaders(string origin)
    {
        var headers = ImmutableArray.CreateBuilder<CorsHeader>(3);
        AddOrigin(headers, origin);
        Add(headers, "access-control-expose-headers", _expose);
        return headers.ToImmutable();
    }

    private void AddOrigin(ImmutableArray<CorsHeader>.Builder headers, string origin)
    {
        if (AllowsOrigin(origin))
        {
            headers.Add(new("access-control-allow-origin", origin));
            Add(headers, "access-control-allow-credentials", _credentials ? "true" : null);
        }
    }

    private static void Add(ImmutableArray<CorsHeader>.Builder headers, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            headers.Add(new(name, value));
        }
    }

    private static string First(HeaderValues lines) => lines.Count > 0 ? lines[0] : "";
}
