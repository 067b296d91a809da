using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Portcullis.Gateway.Forwarding;
using Portcullis.Gateway.Pipeline;
using Portcullis.Routing;

namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>
/// An authorizer that speaks HTTP (<c>envoyExtAuthzHttp</c>): it gets the request's method, path and chosen headers, and its status is the answer. Exactly 200
/// allows, 5xx is an error, everything else denies and goes to the client.
/// </summary>
internal sealed class HttpAuthorizer(CustomProvider provider, AuthorizerConnections connections) : ExternalAuthorizer(provider.Settings!, provider.Cluster!)
{
    private const int StatusOk = 200;
    private const int StatusForbidden = 403;

    private static readonly UriCreationOptions Verbatim = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly HeaderNameList _sent = new(provider.Settings!.IncludeRequestHeadersInCheck, "authorization");
    private readonly HeaderNameList _toUpstream = new(provider.Settings!.HeadersToUpstreamOnAllow);
    private readonly HeaderNameList _toDownstreamOnAllow = new(provider.Settings!.HeadersToDownstreamOnAllow);

    /// <summary><see langword="null"/>: all that may be sent.</summary>
    private readonly HeaderNameList? _toDownstreamOnDeny =
        provider.Settings!.HeadersToDownstreamOnDeny.IsEmpty ? null : new(provider.Settings.HeadersToDownstreamOnDeny, "www-authenticate", "location");

    public override async Task<CheckResult> AskAsync(GatewayContext context, CheckBody? body, UpstreamEndpoint endpoint, CancellationToken cancellationToken)
    {
        try
        {
            using var request = CreateRequest(context, body, endpoint);
            using var response = await connections.Invoker.SendAsync(request, cancellationToken);
            return await ReadAsync(response, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            return CheckResult.Failed(ReasonOf(e));
        }
        catch (IOException)
        {
            return CheckResult.Failed("the answer broke off");
        }
    }

    internal static string ReasonOf(HttpRequestException exception) => exception.GetBaseException() switch
    {
        SocketException e => $"connection failed ({e.SocketErrorCode})",
        TimeoutException => "no connection within the connect timeout",
        _ => exception.HttpRequestError switch
        {
            HttpRequestError.InvalidResponse or HttpRequestError.HttpProtocolError => "the answer is not HTTP",
            HttpRequestError.ConfigurationLimitExceeded => "the answer's headers are too large",
            HttpRequestError.ResponseEnded => "the connection was closed before the answer",
            var error => $"connection failed ({error})",
        },
    };

    private HttpRequestMessage CreateRequest(GatewayContext context, CheckBody? body, UpstreamEndpoint endpoint)
    {
        var content = new ReadOnlyMemoryContent(body?.Bytes ?? ReadOnlyMemory<byte>.Empty);
        var request = new HttpRequestMessage(new HttpMethod(MethodOf(context)), new Uri(endpoint.ClearPrefix + Settings.PathPrefix + TargetOf(context), in Verbatim))
        {
            Content = content,
            Version = Cluster.Protocol == UpstreamProtocol.Http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TryAddWithoutValidation("host", context.Authority);
        CheckHeaders.Visit(context, (Request: request, Names: _sent), static (state, name, value) =>
        {
            if (name != "content-length" && state.Names.Contains(name))
            {
                Set(state.Request, name, value);
            }
        });
        if (body is not null)
        {
            Set(request, AuthorizerHeaders.PartialBody, body.IsPartial ? "true" : "false");
        }

        var source = new HeaderCommandSource(context);
        foreach (var (name, template) in provider.AdditionalHeaders)
        {
            Set(request, name, template.Render(in source));
        }

        return request;
    }

    private static void Set(HttpRequestMessage request, string name, string value)
    {
        // A name that belongs to the other collection is an error to Remove, and is not added.
        if (request.Headers.NonValidated.Contains(name))
        {
            request.Headers.Remove(name);
        }

        if (!request.Headers.TryAddWithoutValidation(name, value))
        {
            request.Content!.Headers.Remove(name);
            request.Content.Headers.TryAddWithoutValidation(name, value);
        }
    }

    private async Task<CheckResult> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var status = (int)response.StatusCode;
        if (status is < 200 or (>= 500 and <= 599))
        {
            return CheckResult.Failed($"it answered {status.ToString(CultureInfo.InvariantCulture)}");
        }

        if (status == StatusOk)
        {
            return await ReadBodyAsync(response.Content, cancellationToken) is null
                ? CheckResult.Failed($"its answer is larger than {MaxResponseBytes} bytes")
                : Allow(response);
        }

        return Deny(response, status > 599 ? StatusForbidden : status, await ReadDenialAsync(response.Content, cancellationToken));
    }

    /// <summary>Whatever becomes of the body: the status has said no, which no <c>failOpen</c> turns into a yes.</summary>
    private static async Task<byte[]> ReadDenialAsync(HttpContent content, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadBodyAsync(content, cancellationToken) ?? [];
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return [];
        }
    }

    private static async Task<byte[]?> ReadBodyAsync(HttpContent content, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength > MaxResponseBytes)
        {
            return null;
        }

        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            using var body = new MemoryStream();
            while (await stream.ReadAsync(buffer, cancellationToken) is > 0 and var read)
            {
                if (body.Length + read > MaxResponseBytes)
                {
                    return null;
                }

                body.Write(buffer, 0, read);
            }

            return body.ToArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    private CheckResult Allow(HttpResponseMessage response)
    {
        var result = new CheckResult { Outcome = CheckOutcome.Ok };
        var isInvalid = false;
        Visit(response, (name, values) =>
        {
            if (name.Equals(AuthorizerHeaders.HeadersToRemove, StringComparison.OrdinalIgnoreCase))
            {
                foreach (var line in values)
                {
                    result.RemovedHeaders.AddRange(line.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
                }
            }
            else if (_toUpstream.Contains(name) && !AuthorizerHeaders.IsProtected(name))
            {
                var kind = HeaderChangeKind.Overwrite;
                foreach (var line in values)
                {
                    isInvalid |= AuthorizerHeaders.TextOf(line) is null;
                    result.RequestHeaders.Add(new(name, AuthorizerHeaders.TextOf(line) ?? "", kind));
                    kind = HeaderChangeKind.Append;
                }
            }

            if (_toDownstreamOnAllow.Contains(name) && !AuthorizerHeaders.IsProtectedInResponse(name))
            {
                foreach (var line in values)
                {
                    result.ResponseHeaders.Add(new(name, line, HeaderChangeKind.Append));
                }
            }
        });
        return isInvalid ? new CheckResult { Outcome = CheckOutcome.Invalid, Reason = "a header for the backend is not UTF-8" } : result;
    }

    private CheckResult Deny(HttpResponseMessage response, int status, byte[] body)
    {
        var result = new CheckResult { Outcome = CheckOutcome.Denied, Status = status, Body = body };
        Visit(response, (name, values) =>
        {
            if (!AuthorizerHeaders.IsProtectedInResponse(name) && _toDownstreamOnDeny?.Contains(name) != false)
            {
                foreach (var line in values)
                {
                    result.ReplyHeaders.Add(new(name, line, HeaderChangeKind.Append));
                }
            }
        });
        return result;
    }

    private static void Visit(HttpResponseMessage response, Action<string, System.Net.Http.Headers.HeaderStringValues> visit)
    {
        foreach (var (name, values) in response.Headers.NonValidated)
        {
            visit(name, values);
        }

        foreach (var (name, values) in response.Content.Headers.NonValidated)
        {
            visit(name, values);
        }
    }
}
