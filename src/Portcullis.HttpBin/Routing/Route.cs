using Microsoft.AspNetCore.Http;

namespace Portcullis.HttpBin.Routing;

/// <summary>Answers a request; <paramref name="values"/> are the path segments that stood for the template's <c>{}</c>, in order.</summary>
internal delegate Task RouteHandler(HttpContext context, IReadOnlyList<string> values);

/// <summary>A path template and who answers it. <c>{}</c> stands for one segment, a last <c>{**}</c> for any rest.</summary>
internal sealed class Route
{
    private readonly string[] _methods;

    public Route(string methods, string template, RouteHandler handler)
    {
        _methods = methods.Split(' ');
        Segments = template.Split('/')[1..];
        Handler = handler;
        Allow = string.Join(", ", [.. _methods, .. _methods.Contains("GET") ? ["HEAD"] : Array.Empty<string>(), "OPTIONS"]);
    }

    public string[] Segments { get; }

    public RouteHandler Handler { get; }

    /// <summary>The value of the <c>Allow</c> header.</summary>
    public string Allow { get; }

    /// <summary>GET stands for HEAD too; the server keeps the body back.</summary>
    public bool Accepts(string method) =>
        _methods.Contains(method) || (HttpMethods.IsHead(method) && _methods.Contains("GET"));
}
