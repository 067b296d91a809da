using System.Diagnostics;

namespace Portcullis.Routing;

/// <summary>Envoy's command operators that make sense in a header value.</summary>
public enum HeaderCommand
{
    /// <summary><c>REQ(name)</c>: a request header.</summary>
    RequestHeader,

    /// <summary><c>RESP(name)</c>: a response header.</summary>
    ResponseHeader,

    /// <summary><c>START_TIME(format)</c>: when the request began; no format is ISO 8601 in milliseconds.</summary>
    StartTime,

    /// <summary><c>PROTOCOL</c>: <c>HTTP/1.1</c>, <c>HTTP/2</c>.</summary>
    Protocol,

    /// <summary><c>RESPONSE_CODE</c>.</summary>
    ResponseCode,

    /// <summary><c>RESPONSE_FLAGS</c>.</summary>
    ResponseFlags,

    /// <summary><c>RESPONSE_CODE_DETAILS</c>.</summary>
    ResponseCodeDetails,

    /// <summary><c>DOWNSTREAM_REMOTE_ADDRESS</c>: trusted client address with port.</summary>
    DownstreamRemoteAddress,

    /// <summary><c>DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT</c>.</summary>
    DownstreamRemoteAddressWithoutPort,

    /// <summary><c>DOWNSTREAM_REMOTE_PORT</c>.</summary>
    DownstreamRemotePort,

    /// <summary><c>DOWNSTREAM_DIRECT_REMOTE_ADDRESS</c>: the TCP peer with port.</summary>
    DownstreamDirectRemoteAddress,

    /// <summary><c>DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT</c>.</summary>
    DownstreamDirectRemoteAddressWithoutPort,

    /// <summary><c>DOWNSTREAM_LOCAL_ADDRESS</c>.</summary>
    DownstreamLocalAddress,

    /// <summary><c>DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT</c>.</summary>
    DownstreamLocalAddressWithoutPort,

    /// <summary><c>DOWNSTREAM_LOCAL_PORT</c>.</summary>
    DownstreamLocalPort,

    /// <summary><c>REQUESTED_SERVER_NAME</c>: SNI.</summary>
    RequestedServerName,

    /// <summary><c>DOWNSTREAM_TLS_VERSION</c>.</summary>
    DownstreamTlsVersion,

    /// <summary><c>DOWNSTREAM_TLS_CIPHER</c>.</summary>
    DownstreamTlsCipher,

    /// <summary><c>DOWNSTREAM_PEER_SUBJECT</c>: of the client's certificate.</summary>
    DownstreamPeerSubject,

    /// <summary><c>DOWNSTREAM_PEER_URI_SAN</c>.</summary>
    DownstreamPeerUriSan,

    /// <summary><c>DOWNSTREAM_PEER_FINGERPRINT_256</c>.</summary>
    DownstreamPeerFingerprint256,

    /// <summary><c>UPSTREAM_HOST</c>: endpoint chosen, with port.</summary>
    UpstreamHost,

    /// <summary><c>UPSTREAM_CLUSTER</c>.</summary>
    UpstreamCluster,

    /// <summary><c>ROUTE_NAME</c>.</summary>
    RouteName,

    /// <summary><c>HOSTNAME</c>: of the gateway.</summary>
    Hostname,
}

/// <summary>Envoy's names.</summary>
public static class HeaderCommandExtensions
{
    extension(HeaderCommand command)
    {
        /// <summary>Name between the percent signs.</summary>
        public string EnvoyName => command switch
        {
            HeaderCommand.RequestHeader => "REQ",
            HeaderCommand.ResponseHeader => "RESP",
            HeaderCommand.StartTime => "START_TIME",
            HeaderCommand.Protocol => "PROTOCOL",
            HeaderCommand.ResponseCode => "RESPONSE_CODE",
            HeaderCommand.ResponseFlags => "RESPONSE_FLAGS",
            HeaderCommand.ResponseCodeDetails => "RESPONSE_CODE_DETAILS",
            HeaderCommand.DownstreamRemoteAddress => "DOWNSTREAM_REMOTE_ADDRESS",
            HeaderCommand.DownstreamRemoteAddressWithoutPort => "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
            HeaderCommand.DownstreamRemotePort => "DOWNSTREAM_REMOTE_PORT",
            HeaderCommand.DownstreamDirectRemoteAddress => "DOWNSTREAM_DIRECT_REMOTE_ADDRESS",
            HeaderCommand.DownstreamDirectRemoteAddressWithoutPort => "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT",
            HeaderCommand.DownstreamLocalAddress => "DOWNSTREAM_LOCAL_ADDRESS",
            HeaderCommand.DownstreamLocalAddressWithoutPort => "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
            HeaderCommand.DownstreamLocalPort => "DOWNSTREAM_LOCAL_PORT",
            HeaderCommand.RequestedServerName => "REQUESTED_SERVER_NAME",
            HeaderCommand.DownstreamTlsVersion => "DOWNSTREAM_TLS_VERSION",
            HeaderCommand.DownstreamTlsCipher => "DOWNSTREAM_TLS_CIPHER",
            HeaderCommand.DownstreamPeerSubject => "DOWNSTREAM_PEER_SUBJECT",
            HeaderCommand.DownstreamPeerUriSan => "DOWNSTREAM_PEER_URI_SAN",
            HeaderCommand.DownstreamPeerFingerprint256 => "DOWNSTREAM_PEER_FINGERPRINT_256",
            HeaderCommand.UpstreamHost => "UPSTREAM_HOST",
            HeaderCommand.UpstreamCluster => "UPSTREAM_CLUSTER",
            HeaderCommand.RouteName => "ROUTE_NAME",
            HeaderCommand.Hostname => "HOSTNAME",
            _ => throw new UnreachableException($"{command} has no name"),
        };
    }
}
