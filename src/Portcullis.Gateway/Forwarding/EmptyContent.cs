namespace Portcullis.Gateway.Forwarding;

/// <summary>
/// A request without a body that has headers about one (<c>Content-Length: 0</c>, <c>Content-Type</c>). YARP refuses a content that is not its own, so it is put in
/// behind YARP.
/// </summary>
internal static class EmptyContent
{
    private static readonly HttpRequestOptionsKey<ByteArrayContent> Key = new("portcullis.empty-content");

    /// <summary>The content whose headers the request will have.</summary>
    public static HttpContent Of(HttpRequestMessage request)
    {
        if (request.Content is { } own)
        {
            return own;
        }

        if (!request.Options.TryGetValue(Key, out var content))
        {
            request.Options.Set(Key, content = new ByteArrayContent([]));
        }

        return content;
    }

    /// <summary>The same, if there is one already.</summary>
    public static HttpContent? Find(HttpRequestMessage request) => request.Content ?? (request.Options.TryGetValue(Key, out var content) ? content : null);

    /// <summary>Puts it in.</summary>
    internal sealed class Handler(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Content ??= Find(request);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
