namespace Portcullis.Gateway.Forwarding;

/// <summary>
/// The backend closed the connection while its answer was awaited. Not an <see cref="IOException"/>: on one of those the HTTP client sends the request
/// again by itself, which is for the route's retry policy to decide.
/// </summary>
internal sealed class UpstreamClosedException(Exception? inner) : Exception("the backend closed the connection before it answered", inner);
