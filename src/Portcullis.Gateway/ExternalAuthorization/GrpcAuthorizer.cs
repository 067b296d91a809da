using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Portcullis.Gateway.ExternalAuthorization.Wire;
using Portcullis.Gateway.Forwarding;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>An authorizer that speaks gRPC (<c>envoyExtAuthzGrpc</c>, <c>envoy.service.auth.v3.Authorization/Check</c>), over HTTP/2 in clear.</summary>
internal sealed class GrpcAuthorizer(CustomProvider provider, AuthorizerConnections connections) : ExternalAuthorizer(provider.Settings!, provider.Cluster!)
{
    /// <summary>A name that moves between more addresses than this begins anew; a client holds nothing but its address.</summary>
    private const int MaxClients = 256;

    /// <summary>The service as it is configured. Istio sends its cluster's name, which is no host name.</summary>
    private readonly string _authority = $"{provider.Cluster!.Host}:{provider.Cluster.Port.ToString(CultureInfo.InvariantCulture)}";

    private readonly ConcurrentDictionary<string, Authorization.AuthorizationClient> _clients = new(StringComparer.Ordinal);

    public override async Task<CheckResult> AskAsync(GatewayContext context, CheckBody? body, UpstreamEndpoint endpoint, CancellationToken cancellationToken)
    {
        var request = CreateRequest(context, body);
        try
        {
            return Read(await ClientOf(endpoint).CheckAsync(request, cancellationToken: cancellationToken));
        }
        catch (RpcException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var cause = e.Status.DebugException switch
            {
                HttpRequestException transport => HttpAuthorizer.ReasonOf(transport),
                { } other => $"gRPC status {e.StatusCode}, {other.GetBaseException().GetType().Name}",
                null => $"gRPC status {e.StatusCode}",
            };
            return CheckResult.Failed(cause);
        }
    }

    private Authorization.AuthorizationClient ClientOf(UpstreamEndpoint endpoint)
    {
        if (_clients.TryGetValue(endpoint.ClearPrefix, out var known))
        {
            return known;
        }

        if (_clients.Count >= MaxClients)
        {
            _clients.Clear();
        }

        return _clients.GetOrAdd(endpoint.ClearPrefix, static (prefix, self) => self.CreateClient(prefix), this);
    }

    private Authorization.AuthorizationClient CreateClient(string prefix) => new(GrpcChannel.ForAddress(prefix, new GrpcChannelOptions
    {
        // The channel owns nothing: connections are shared, and to dispose of it would end checks in flight.
        HttpHandler = new SharedHandler(connections.Invoker, _authority),
        DisposeHttpClient = false,
        MaxReceiveMessageSize = MaxResponseBytes,
        MaxSendMessageSize = null,
        CompressionProviders = [],
    }));

    private CheckRequest CreateRequest(GatewayContext context, CheckBody? body)
    {
        var view = new RequestView(context);
        var connection = context.Http.Connection;
        var http = new AttributeContext.Types.HttpRequest
        {
            Id = context.RequestId,
            Method = MethodOf(context),
            Path = Utf8Text.Sanitize(TargetOf(context)),
            Host = Utf8Text.Sanitize(context.Authority),
            Scheme = context.Scheme,
            Protocol = context.Http.Request.Protocol,
            Size = body is { IsPartial: false } ? body.Bytes.Length : context.Http.Request.ContentLength ?? (CheckBody.IsExpected(context.Http) ? -1 : 0),
        };
        CheckHeaders.Visit(context, http.Headers, static (headers, name, value) => headers[name] = Utf8Text.Sanitize(value));
        http.Headers[":method"] = http.Method;
        http.Headers[":path"] = http.Path;
        http.Headers[":authority"] = http.Host;
        http.Headers[":scheme"] = http.Scheme;
        AddBody(http, body);
        return new CheckRequest
        {
            Attributes = new AttributeContext
            {
                Source = new()
                {
                    Address = AddressOf(context.PeerAddress, context.PeerPort),
                    Principal = view.PeerCertificate is { } peer
                        ? Utf8Text.Sanitize(peer.UriNames.Count > 0 ? peer.UriNames[0] : peer.DnsNames.Count > 0 ? peer.DnsNames[0] : peer.Subject)
                        : "",
                },
                Destination = new() { Address = AddressOf(view.LocalAddress, connection.LocalPort) },
                Request = new() { Time = Timestamp.FromDateTimeOffset(context.StartTime), Http = http },
            },
        };
    }

    private void AddBody(AttributeContext.Types.HttpRequest http, CheckBody? body)
    {
        if (body is null)
        {
            return;
        }

        if (Body!.PackAsBytes)
        {
            http.RawBody = ByteString.CopyFrom(body.Bytes.Span);
        }
        else
        {
            http.Body = Utf8Text.Decode(body.Bytes.Span);
        }

        http.Headers[AuthorizerHeaders.PartialBody] = body.IsPartial ? "true" : "false";
    }

    private static Address AddressOf(System.Net.IPAddress? address, int port) =>
        new() { SocketAddress = new SocketAddress { Address = address?.ToString() ?? "", PortValue = (uint)port } };

    private static CheckResult Read(CheckResponse response)
    {
        // An answer without a status counts as OK in the protocol; one that carries a denial is meant as a denial.
        var isOk = response.Status is null ? response.HttpResponseCase is not (CheckResponse.HttpResponseOneofCase.DeniedResponse or CheckResponse.HttpResponseOneofCase.ErrorResponse)
            : response.Status.Code == 0;
        if (isOk)
        {
            return Allow(response.OkResponse);
        }

        return response.ErrorResponse is { } error
            ? Refuse(CheckOutcome.Error, error, status: null)
            : Refuse(CheckOutcome.Denied, response.DeniedResponse ?? new DeniedHttpResponse(), status: 403);
    }

    private static CheckResult Allow(OkHttpResponse? response)
    {
        var result = new CheckResult { Outcome = CheckOutcome.Ok };
        if (response is null)
        {
            return result;
        }

        // Without a word on how, a header replaces the client's (as the protocol documents it): a client must not be able to add to what was found out.
        AddChanges(response.Headers, HeaderChangeKind.Overwrite, result.RequestHeaders, static name => AuthorizerHeaders.IsProtected(name), static value => value);
        AddChanges(response.ResponseHeadersToAdd, HeaderChangeKind.Append, result.ResponseHeaders, static name => AuthorizerHeaders.IsProtectedInResponse(name), AuthorizerHeaders.BytesOf);
        result.RemovedHeaders.AddRange(response.HeadersToRemove);
        foreach (var parameter in response.QueryParametersToSet)
        {
            result.Parameters.Add(new(parameter.Key, parameter.Value));
        }

        result.RemovedParameters.AddRange(response.QueryParametersToRemove);
        return result;
    }

    private static CheckResult Refuse(CheckOutcome outcome, DeniedHttpResponse response, int? status)
    {
        var result = new CheckResult
        {
            Outcome = outcome,
            Reason = outcome == CheckOutcome.Error ? "it answered with an error" : null,
            Status = response.Status?.Code is >= 200 and <= 599 and var code ? code : status,
            Body = Encoding.UTF8.GetBytes(response.Body),
        };
        AddChanges(response.Headers, HeaderChangeKind.Append, result.ReplyHeaders, static name => AuthorizerHeaders.IsProtectedInResponse(name), AuthorizerHeaders.BytesOf);
        return result;
    }

    private static void AddChanges(
        RepeatedField<HeaderValueOption> options,
        HeaderChangeKind unsaid,
        List<HeaderChange> changes,
        Func<string, bool> isProtected,
        Func<string, string> write)
    {
        foreach (var option in options)
        {
            if (option.Header is { } header && !isProtected(header.Key))
            {
                var value = header.Value.Length == 0 && !header.RawValue.IsEmpty ? header.RawValue.ToStringUtf8() : header.Value;
                changes.Add(new(header.Key, write(value), KindOf(option, unsaid)));
            }
        }
    }

    private static HeaderChangeKind KindOf(HeaderValueOption option, HeaderChangeKind unsaid) => (option.Append, option.AppendAction) switch
    {
        (true, _) => HeaderChangeKind.Append,
        (false, _) => HeaderChangeKind.Overwrite,
        (_, HeaderValueOption.Types.HeaderAppendAction.AddIfAbsent) => HeaderChangeKind.AddIfAbsent,
        (_, HeaderValueOption.Types.HeaderAppendAction.OverwriteIfExistsOrAdd) => HeaderChangeKind.Overwrite,
        (_, HeaderValueOption.Types.HeaderAppendAction.OverwriteIfExists) => HeaderChangeKind.OverwriteIfExists,
        _ => unsaid,
    };

    /// <summary>Sends over shared connections. It is no delegating handler, so that the channel takes over none of their settings.</summary>
    private sealed class SharedHandler(HttpMessageInvoker invoker, string authority) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Host = authority;
            return invoker.SendAsync(request, cancellationToken);
        }
    }
}
