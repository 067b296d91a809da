using System.Net;

namespace Portcullis.FunctionalTests.Support;

/// <summary>Many requests over few connections that stay open.</summary>
internal sealed class GatewayClient(int port, int connections) : IDisposable
{
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false, MaxConnectionsPerServer = connections });

    /// <summary>Sends one GET with a token.</summary>
    public Task<HttpStatusCode> GetAsync(string token) => SendAsync(token, CancellationToken.None);

    /// <summary>Sends the same token until the gateway answers as wanted.</summary>
    public async Task WaitForAsync(HttpStatusCode wanted, string token)
    {
        using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
        while (await SendAsync(token, patience.Token) != wanted)
        {
            await Task.Yield();
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<HttpStatusCode> SendAsync(string token, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}/");
        request.Headers.TryAddWithoutValidation("authorization", "Bearer " + token);
        using var response = await _client.SendAsync(request, cancellationToken);
        await response.Content.CopyToAsync(Stream.Null, cancellationToken);
        return response.StatusCode;
    }
}
