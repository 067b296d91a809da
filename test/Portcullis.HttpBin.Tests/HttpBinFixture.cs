using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Portcullis.HttpBin.Tests;

[assembly: AssemblyFixture(typeof(HttpBinFixture))]

namespace Portcullis.HttpBin.Tests;

/// <summary>One server for all tests and a client that follows no redirect and keeps no cookie.</summary>
public sealed class HttpBinFixture : IAsyncLifetime
{
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false });
    private HttpBinServer? _server;

    public FakeTimeProvider Time { get; } = new();

    public HttpBinServer Server => _server ?? throw new InvalidOperationException("not started");

    public async ValueTask InitializeAsync() => _server = await HttpBinServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), Time);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Server.DisposeAsync();
    }

    public async Task<HttpResponseMessage> SendAsync(
        string method, string path, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Server.BaseAddress, path)) { Content = content };
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        var response = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        await response.Content.LoadIntoBufferAsync(TestContext.Current.CancellationToken);
        return response;
    }

    public async Task<JsonElement> JsonAsync(
        string method, string path, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        using var response = await SendAsync(method, path, content, headers);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        return JsonElement.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
