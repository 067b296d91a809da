namespace Portcullis.Gateway.Forwarding;

/// <summary>A TLS connection to a backend could not be made; nothing was sent.</summary>
/// <param name="reason">Envoy's transport failure reason.</param>
/// <param name="inner">What was thrown.</param>
internal sealed class UpstreamTlsException(string reason, Exception? inner = null) : Exception(reason, inner);
