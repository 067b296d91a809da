using Portcullis.Gateway.Forwarding;
using Portcullis.Gateway.Pipeline;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>A provider that can be asked, in one of the two protocols. Immutable; connections live longer than it.</summary>
internal abstract class ExternalAuthorizer(ExtensionProvider settings, Cluster cluster)
{
    /// <summary>Longest answer that is read, and largest gRPC message.</summary>
    public const int MaxResponseBytes = 1024 * 1024;

    /// <summary>Istio's default, and what 0 means.</summary>
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(600);

    public string Name => settings.Name;

    public Cluster Cluster => cluster;

    /// <summary>Errors let the request pass.</summary>
    public bool FailOpen => settings.FailOpen;

    public int StatusOnError => settings.StatusOnError ?? 403;

    /// <summary>Limit of one check, from the choice of an endpoint to the last byte of the answer.</summary>
    public TimeSpan Timeout => settings.Timeout is { } limit && limit > TimeSpan.Zero ? limit : DefaultTimeout;

    /// <summary><see langword="null"/>: bodies are not sent.</summary>
    public CheckRequestBody? Body => settings.IncludeRequestBodyInCheck;

    protected ExtensionProvider Settings => settings;

    /// <summary>Asks.</summary>
    /// <param name="context">The request.</param>
    /// <param name="body">The beginning of its body; <see langword="null"/> when it has none or none is to be sent.</param>
    /// <param name="endpoint">Where to.</param>
    /// <param name="cancellationToken">Ends when the time is over or the client has left.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public abstract Task<CheckResult> AskAsync(GatewayContext context, CheckBody? body, UpstreamEndpoint endpoint, CancellationToken cancellationToken);

    /// <summary>A WebSocket over HTTP/2 is a GET to every later stage and to HTTP/1.1 authorizers (RFC 8441).</summary>
    protected static string MethodOf(GatewayContext context) => context.Http.Request.Method is "CONNECT" ? "GET" : context.Http.Request.Method;

    /// <summary>Path and query as they are known at this stage; never empty (CVE-2026-73547).</summary>
    protected static string TargetOf(GatewayContext context)
    {
        var path = context.Path.Length == 0 ? "/" : context.Path;
        return context.Query is null ? path : $"{path}?{context.Query}";
    }
}
