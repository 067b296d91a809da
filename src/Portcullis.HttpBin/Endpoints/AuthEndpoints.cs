using System.Text;
using Microsoft.AspNetCore.Http;
using Portcullis.HttpBin.Routing;

namespace Portcullis.HttpBin.Endpoints;

/// <summary><c>/bearer</c> takes any bearer token, <c>/basic-auth/{user}/{passwd}</c> the named credentials; <c>/hidden-basic-auth</c> answers 404 instead of 401.</summary>
internal static class AuthEndpoints
{
    public const string BasicChallenge = "Basic realm=\"Fake Realm\"";

    public static IEnumerable<Route> All() =>
    [
        new("GET", "/bearer", Bearer),
        new("GET", "/basic-auth/{}/{}", (context, values) => Basic(context, values, StatusCodes.Status401Unauthorized)),
        new("GET", "/hidden-basic-auth/{}/{}", (context, values) => Basic(context, values, StatusCodes.Status404NotFound)),
    ];

    private static Task Bearer(HttpContext context, IReadOnlyList<string> values)
    {
        const string Prefix = "Bearer ";
        var authorization = context.Request.Headers.Authorization.ToString();
        if (!authorization.StartsWith(Prefix, StringComparison.Ordinal))
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            return Body.Empty(context, StatusCodes.Status401Unauthorized);
        }

        return Body.Json(context, new() { ["authenticated"] = true, ["token"] = authorization[Prefix.Length..] });
    }

    private static Task Basic(HttpContext context, IReadOnlyList<string> values, int refusal)
    {
        var expected = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{values[0]}:{values[1]}"));
        if (context.Request.Headers.Authorization.ToString() == expected)
        {
            return Body.Json(context, new() { ["authenticated"] = true, ["user"] = values[0] });
        }

        if (refusal == StatusCodes.Status401Unauthorized)
        {
            context.Response.Headers.WWWAuthenticate = BasicChallenge;
        }

        return Body.Empty(context, refusal);
    }
}
