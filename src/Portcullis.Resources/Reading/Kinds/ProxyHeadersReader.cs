namespace Portcullis.Resources.Reading;

/// <summary>Reads <c>proxyHeaders</c>.</summary>
internal static class ProxyHeadersReader
{
    /// <param name="reader">Of <c>proxyHeaders</c>.</param>
    /// <returns>The headers, and <c>server.value</c>.</returns>
    public static Read ReadAll(ObjectReader reader)
    {
        reader.Accept("metadataExchangeHeaders");
        foreach (var name in (ReadOnlySpan<string>)["forwardedClientCert", "setCurrentClientCertDetails"])
        {
            if (reader.Has(name))
            {
                reader.At(name).Note("a gateway follows gatewayTopology.forwardClientCertDetails instead");
            }

            reader.Accept(name);
        }

        if (reader.Boolean("preserveHttp1HeaderCase") == true)
        {
            reader.At("preserveHttp1HeaderCase").Note("header names go to HTTP/1.1 backends as they came; those of responses are written as the HTTP server knows them");
        }

        var server = reader.Object("server", static r => new Server(r.Boolean("disabled") ?? false, r.Text("value")));
        return new(
            new ProxyHeaders
            {
                PassesServer = server?.IsDisabled ?? false,
                GeneratesRequestId = !IsDisabled("requestId"),
                HasAttemptCount = !IsDisabled("attemptCount"),
                HasDebugHeaders = !IsDisabled("envoyDebugHeaders"),
                HasForwardedHost = IsEnabled("xForwardedHost"),
                HasForwardedPort = IsEnabled("xForwardedPort"),
            },
            server?.Value);

        bool IsDisabled(string name) => reader.Object(name, static r => new Switch(r.Boolean("disabled") ?? false))?.IsSet ?? false;

        bool IsEnabled(string name) => reader.Object(name, static r => new Switch(r.Boolean("enabled") ?? false))?.IsSet ?? false;
    }

    /// <param name="Headers">The headers.</param>
    /// <param name="Server"><c>server.value</c>.</param>
    public sealed record Read(ProxyHeaders Headers, string? Server);

    private sealed record Server(bool IsDisabled, string? Value);

    private sealed record Switch(bool IsSet);
}
