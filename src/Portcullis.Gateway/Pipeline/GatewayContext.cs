using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Forwarding;
using Portcullis.Gateway.Listeners;
using Portcullis.Gateway.Telemetry.Tracing;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;
using Portcullis.Policy.Authorization;
using Portcullis.Routing;

namespace Portcullis.Gateway.Pipeline;

/// <summary>
/// Everything one request carries through the stages and into the access log. Reused by the next request of the same connection.
/// </summary>
internal sealed class GatewayContext
{
    private string? _decisionId;
    private BodyCounter? _requestCounter;
    private BodyCounter? _responseCounter;
    private long _sent;

    public GatewayContext()
    {
        Transformer = new RequestTransformer(this);
        Upstream = new UpstreamRequest(this);
    }

    public DefaultHttpContext Http { get; } = new();

    /// <summary>The headers that the backend gets; lives as long as the context.</summary>
    public UpstreamHeaders UpstreamHeaders { get; } = new();

    /// <summary>The client's address; remembered as long as the connection is the same.</summary>
    public AddressMemo Addresses { get; } = new();

    /// <summary>Writes this request to the backend; lives as long as the context so that forwarding allocates none.</summary>
    public RequestTransformer Transformer { get; }

    /// <summary>The request's way to its backend; lives as long as the context too.</summary>
    public UpstreamRequest Upstream { get; }

    /// <summary>The configuration in force when the request arrived; used to its end.</summary>
    public GatewaySnapshot Snapshot { get; set; } = GatewaySnapshot.Empty;

    public CompiledListener? Listener { get; set; }

    /// <summary>What is known of the client's connection; <see langword="null"/> for plain HTTP without a PROXY header.</summary>
    public DownstreamConnection? Downstream { get; set; }

    /// <summary>Virtual hosts that the connection may ask for: of the whole port in clear, of the one TLS server that took it otherwise.</summary>
    public VirtualHostTable Hosts { get; set; } = VirtualHostTable.Empty;

    public long StartTimestamp { get; set; }

    public DateTimeOffset StartTime { get; set; }

    /// <summary>Request target as received, fragment and all.</summary>
    public string RawTarget { get; set; } = "";

    /// <summary>Normalised path.</summary>
    public string Path { get; set; } = "";

    public string? Query { get; set; }

    public string Authority { get; set; } = "";

    public string Scheme { get; set; } = "http";

    /// <summary>The connection's client: the TCP peer, or who a PROXY header says it is.</summary>
    public IPAddress? ConnectionAddress { get; set; }

    /// <summary>The TCP peer, whatever anybody says.</summary>
    public IPAddress? PeerAddress { get; set; }

    public int PeerPort { get; set; }

    public IPAddress? RemoteAddress { get; set; }

    /// <summary>X-Forwarded-For as it goes upstream.</summary>
    public string ForwardedFor { get; set; } = "";

    public string RequestId { get; set; } = "";

    public JwtIdentity? Identity { get; set; }

    /// <summary>Why the token was refused; <see langword="null"/> when it was not.</summary>
    public JwtStatus? TokenStatus { get; set; }

    /// <summary>The rule whose check refused the token.</summary>
    public JwtRuleReference? TokenRule { get; set; }

    /// <summary>What authentication adds to and removes from the forwarded request.</summary>
    public RequestEdits? Edits { get; set; }

    public Decision Decision { get; set; }

    /// <summary>Counted among the requests in flight.</summary>
    public bool IsAdmitted { get; set; }

    /// <summary>A token or a policy refused the request.</summary>
    public bool IsRefused => TokenStatus is not null || !Decision.IsAllowed;

    /// <summary>Names the decision; made when first asked for.</summary>
    public string DecisionId => _decisionId ??= Decisions.DecisionId.Create();

    /// <summary>The name, if anybody asked for it: then the decision is kept.</summary>
    public string? KnownDecisionId => _decisionId;

    /// <summary>A refusal names its decision to the client.</summary>
    public bool TellsDecisionId { get; set; }

    public CompiledRoute? Route { get; set; }

    /// <summary>Allowed CORS origin whose headers the response gets; <see langword="null"/> for none.</summary>
    public CompiledCorsPolicy? Cors { get; set; }

    /// <summary>The destination picked by weight.</summary>
    public WeightedDestination? Destination { get; set; }

    public Cluster? Cluster { get; set; }

    public UpstreamEndpoint? Endpoint { get; set; }

    /// <summary>The request asks for another protocol on its connection or stream, whose end is not that of a request.</summary>
    public bool IsUpgrade => Http.Features.Get<IHttpUpgradeFeature>()?.IsUpgradableRequest == true || Http.Features.Get<IHttpExtendedConnectFeature>()?.IsExtendedConnect == true;

    /// <summary>What is spoken to the backend.</summary>
    public bool UsesHttp2Upstream => Cluster?.Protocol switch
    {
        UpstreamProtocol.Http2 => true,
        UpstreamProtocol.SameAsClient => HttpProtocol.IsHttp2(Http.Request.Protocol),
        _ => false,
    };

    /// <summary>Path and query as they go upstream.</summary>
    public string UpstreamTarget { get; set; } = "";

    /// <summary>Host header as it goes upstream.</summary>
    public string UpstreamAuthority { get; set; } = "";

    /// <summary>Path and query before a rewrite; <see langword="null"/> when nothing was rewritten.</summary>
    public string? OriginalTarget { get; set; }

    public int Attempt { get; set; }

    public long UpstreamStartTimestamp { get; set; }

    /// <summary>Milliseconds until the backend's response head; -1 before it came.</summary>
    public long UpstreamServiceTime { get; set; }

    /// <summary>Envoy's response flags, comma-joined; <see langword="null"/> when none.</summary>
    public string? ResponseFlags { get; set; }

    /// <summary>Adds one of Envoy's response flags behind those that are there.</summary>
    public void AddFlag(string flag) => ResponseFlags = ResponseFlags is { } before ? $"{before},{flag}" : flag;

    /// <summary>Envoy's response code details.</summary>
    public string? ResponseDetails { get; set; }

    public string? UpstreamFailureReason { get; set; }

    /// <summary>The gateway's own address towards the backend; <see langword="null"/> where a pool of connections does not tell.</summary>
    public string? UpstreamLocalAddress { get; set; }

    /// <summary>Envoy's connection termination details; <see langword="null"/> but for TCP.</summary>
    public string? ConnectionTerminationDetails { get; set; }

    /// <summary>Bytes from and to the client where this is no request but a connection; <see langword="null"/> for a request.</summary>
    public (long Received, long Sent)? ConnectionBytes { get; set; }

    /// <summary>The trace that the request belongs to; <see langword="null"/> when nothing is traced.</summary>
    public RequestTrace? Trace { get; set; }

    /// <summary>Bodies of unknown length are counted for the metrics; of the others, the declared length is taken.</summary>
    public bool CountsChunkedBodies { get; set; }

    /// <summary>Why the server would not read the request's body to its end: a status; 0 when it did.</summary>
    public int BodyRefusal => _requestCounter?.Refusal ?? 0;

    /// <summary>Notes what becomes of a request body that is held to limits.</summary>
    public void WatchRequestBody() => CountRequestBody(hasLength: Http.Request.ContentLength > 0);

    /// <summary>Counts a request body whose length the client does not say.</summary>
    public void CountRequestBody() => CountRequestBody(hasLength: false);

    private void CountRequestBody(bool hasLength)
    {
        if (_requestCounter is null && (hasLength || Http.Request.ContentLength is null) && Http.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true)
        {
            Http.Request.Body = new CountingStream(Http.Request.Body, _requestCounter = new BodyCounter());
        }
    }

    /// <summary>
    /// Counts a response body that goes through the response's stream, for the access log, or when its length is not said; called when the head is complete and nothing
    /// of the body is written.
    /// </summary>
    public void CountResponseBody()
    {
        if (_responseCounter is null && (Snapshot.AccessLog is not null || (CountsChunkedBodies && Http.Response.ContentLength is null)))
        {
            Http.Response.Body = new CountingStream(Http.Response.Body, _responseCounter = new BodyCounter());
        }
    }

    /// <summary>Adds body bytes that went to the client past the response's stream.</summary>
    public void CountSent(int bytes) => _sent += bytes;

    /// <summary>The client left before the response was complete; Envoy logs status 0 then.</summary>
    public bool ClientAborted { get; private set; }

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(StartTimestamp);

    /// <summary>Body bytes that came from the client.</summary>
    public long BytesReceived => ConnectionBytes?.Received ?? _requestCounter?.Count ?? Http.Request.ContentLength ?? 0;

    /// <summary>Body bytes that went to the client.</summary>
    public long BytesSent => ConnectionBytes is { } bytes ? bytes.Sent
        : _responseCounter is { Count: > 0 } counter ? counter.Count
        : _sent > 0 ? _sent
        : HttpMethods.IsHead(Http.Request.Method) ? 0 : Http.Response.ContentLength ?? 0;

    /// <summary>Port of the remote address; 0 when that came from X-Forwarded-For.</summary>
    public int RemotePort => Equals(RemoteAddress, ConnectionAddress) ? Http.Connection.RemotePort : 0;

    public void ClientWentAway()
    {
        ClientAborted = true;
        ResponseFlags ??= "DC";
        ResponseDetails = "downstream_remote_disconnect";
    }

    /// <summary>
    /// Lets go of what the request was served by, and of what it carried: the context waits for the connection's next request, perhaps for hours.
    /// </summary>
    public void Release()
    {
        Snapshot = GatewaySnapshot.Empty;
        Listener = null;
        Hosts = VirtualHostTable.Empty;
        Route = null;
        Cors = null;
        Destination = null;
        Cluster = null;
        Endpoint = null;
        TokenRule = null;
        Identity = null;
        Edits = null;
        Decision = default;
        Trace = null;
        UpstreamHeaders.Clear();
    }

    public void Reset()
    {
        Release();
        ClientAborted = false;
        Downstream = null;
        RawTarget = Path = Authority = ForwardedFor = RequestId = UpstreamTarget = UpstreamAuthority = "";
        Query = null;
        ConnectionAddress = PeerAddress = RemoteAddress = null;
        TokenStatus = null;
        _decisionId = null;
        TellsDecisionId = IsAdmitted = false;
        OriginalTarget = null;
        Upstream.Reset();
        Attempt = 0;
        UpstreamServiceTime = -1;
        ResponseFlags = ResponseDetails = UpstreamFailureReason = UpstreamLocalAddress = ConnectionTerminationDetails = null;
        _requestCounter = _responseCounter = null;
        _sent = 0;
    }
}
