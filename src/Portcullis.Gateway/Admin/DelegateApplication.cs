using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Portcullis.Gateway.Admin;

/// <summary>Runs one delegate for every request: all that the status, statistics and admin ports need of a web framework.</summary>
internal sealed partial class DelegateApplication(RequestDelegate handle, IServiceProvider services, ILogger logger) : IHttpApplication<HttpContext>
{
    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures) { RequestServices = services };

    public async Task ProcessRequestAsync(HttpContext context)
    {
        try
        {
            await handle(context);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogFailed(logger, context.Request.Path, e);
            throw;
        }
    }

    public void DisposeContext(HttpContext context, Exception? exception)
    {
        // Nothing is kept of a request here.
    }

    [LoggerMessage(EventId = 4001, Level = LogLevel.Error, Message = "admin request for {Path} failed")]
    private static partial void LogFailed(ILogger logger, PathString path, Exception exception);
}
