using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Portcullis.HttpBin.Endpoints;
using Portcullis.HttpBin.Routing;

namespace Portcullis.HttpBin;

/// <summary>Finds the endpoint of a request; answers OPTIONS, wrong methods and unknown paths itself; adds httpbin's CORS headers to all.</summary>
internal sealed class HttpBinApplication : IHttpApplication<HttpContext>
{
    private readonly RouteTable _routes;

    public HttpBinApplication(TimeProvider timeProvider) => _routes = new RouteTable(
    [
        .. PageEndpoints.All(),
        .. InspectionEndpoints.All(),
        .. StatusEndpoints.All(),
        .. AuthEndpoints.All(),
        .. RedirectEndpoints.All(),
        .. CookieEndpoints.All(),
        .. EncodingEndpoints.All(),
        .. new DynamicEndpoints(timeProvider).All(),
    ]);

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public void DisposeContext(HttpContext context, Exception? exception) => ((DefaultHttpContext)context).Uninitialize();

    public async Task ProcessRequestAsync(HttpContext context)
    {
        context.Response.Headers.Server = "httpbin";
        AllowEveryOrigin(context);

        if (_routes.Find(context.Request.Path.Value ?? "/") is not var (route, values))
        {
            await Body.Html(context, StatusCodes.Status404NotFound, "Not Found").ConfigureAwait(false);
        }
        else if (HttpMethods.IsOptions(context.Request.Method))
        {
            context.Response.Headers.Allow = route.Allow;
            context.Response.ContentType = "text/html; charset=utf-8";
            context.Response.ContentLength = 0;
        }
        else if (!route.Accepts(context.Request.Method))
        {
            context.Response.Headers.Allow = route.Allow;
            await Body.Html(context, StatusCodes.Status405MethodNotAllowed, "Method Not Allowed").ConfigureAwait(false);
        }
        else
        {
            await route.Handler(context, values).ConfigureAwait(false);
        }
    }

    private static void AllowEveryOrigin(HttpContext context)
    {
        var (request, response) = (context.Request.Headers, context.Response.Headers);
        response.AccessControlAllowOrigin = request.Origin.Count == 0 ? "*" : request.Origin;
        response.AccessControlAllowCredentials = "true";
        if (HttpMethods.IsOptions(context.Request.Method))
        {
            response.AccessControlAllowMethods = "GET, POST, PUT, DELETE, PATCH, OPTIONS";
            response.AccessControlMaxAge = "3600";
            if (request.AccessControlRequestHeaders.Count != 0)
            {
                response.AccessControlAllowHeaders = request.AccessControlRequestHeaders;
            }
        }
    }
}
