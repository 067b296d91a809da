using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Portcullis.FunctionalTests.Support;

/// <summary>A Kestrel server as a backend, for what a hand-written one does not speak.</summary>
internal sealed class WebBackend : IAsyncDisposable
{
    private readonly WebApplication _application;

    private WebBackend(WebApplication application) => _application = application;

    public int Port => new Uri(_application.Urls.Single()).Port;

    /// <summary>Answers every request in one way; WebSockets may be accepted.</summary>
    public static Task<WebBackend> StartAsync(RequestDelegate answer, HttpProtocols protocols = HttpProtocols.Http1, bool isSecure = false, X509Certificate2? certificate = null) =>
        StartAsync(static _ => { }, application => application.UseWebSockets().Run(answer), protocols, isSecure, certificate);

    /// <param name="services">Adds what the application needs.</param>
    /// <param name="build">Makes the application.</param>
    /// <param name="protocols">What it speaks, by ALPN with TLS.</param>
    /// <param name="isSecure">Over TLS.</param>
    /// <param name="certificate">With this certificate, or one of its own.</param>
    public static async Task<WebBackend> StartAsync(
        Action<IServiceCollection> services, Action<WebApplication> build, HttpProtocols protocols, bool isSecure, X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        services(builder.Services);
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(o =>
        {
            o.Limits.MaxRequestBodySize = null;
            o.Listen(IPAddress.Loopback, 0, l =>
            {
                l.Protocols = protocols;
                if (isSecure)
                {
                    l.UseHttps(certificate ?? Certificate());
                }
            });
        });
        var application = builder.Build();
        build(application);
        await application.StartAsync();
        return new WebBackend(application);
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=backend", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(70));
    }
}
