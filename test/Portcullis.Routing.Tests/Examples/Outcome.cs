using Portcullis.Matching;
using Portcullis.Routing.Tests.Support;

namespace Portcullis.Routing.Tests.Examples;

/// <summary>What the compiled routes say about a request: the data plane's part without a socket.</summary>
internal sealed class Outcome
{
    public int Status { get; private set; } = 200;

    public string Body { get; private set; } = "";

    public string Flags { get; private set; } = "-";

    public string Details { get; private set; } = "via_upstream";

    public Dictionary<string, List<string>> Headers { get; } = new(StringComparer.OrdinalIgnoreCase);

    public Dictionary<string, List<string>> UpstreamHeaders { get; } = new(StringComparer.OrdinalIgnoreCase);

    public Cluster? Cluster { get; private set; }

    public string? Backend => Cluster?.Host.Split('.')[0];

    public string UpstreamPath { get; private set; } = "";

    public string UpstreamHost { get; private set; } = "";

    public bool IsClosed { get; private set; }

    /// <param name="compiled">What was compiled.</param>
    /// <param name="request">Its path not yet normalised.</param>
    /// <param name="headers">The request's.</param>
    /// <param name="sni">A TLS connection's server name.</param>
    /// <param name="random">For the choice by weight.</param>
    public static Outcome Of(Compiled compiled, TestRequest request, IEnumerable<(string Name, string Value)> headers, string? sni, uint random)
    {
        var outcome = new Outcome();
        var hosts = compiled.Listener.Hosts;
        if (sni is not null)
        {
            if (compiled.Listener.FindChain(sni) is not { } chain)
            {
                outcome.IsClosed = true;
                return outcome;
            }

            hosts = chain.Hosts;
        }

        Assert.True(PathNormalizer.TryNormalizePath(request.Path, PathNormalization.Base, out var path));
        request = request with { Path = path };
        if (hosts.Find(request.Authority)?.Match(in request) is not { } route)
        {
            return outcome.Reply(404, "", "NR", "route_not_found");
        }

        outcome.Apply(route, request, headers, random);
        return outcome;
    }

    private void Apply(CompiledRoute route, TestRequest request, IEnumerable<(string Name, string Value)> headers, uint random)
    {
        switch (route.Action)
        {
            case RouteAction.Redirect:
                Reply(route.Redirect!.Status, "", "-", "direct_response");
                Headers["location"] = [route.Redirect.Location(route.Path, request.Scheme, request.Authority, request.Path, request.Query)];
                Mutate(Headers, route.ResponseHeaders);
                return;
            case RouteAction.DirectResponse:
                var body = System.Text.Encoding.UTF8.GetString(route.DirectResponse!.Body.Span);
                Reply(route.DirectResponse.Status, body, "-", "direct_response");
                if (body.Length > 0)
                {
                    Headers["content-type"] = ["text/plain"];
                }

                Mutate(Headers, route.ResponseHeaders);
                return;
        }

        var forward = route.Forward!;
        if (forward.Fault is { AbortPercentage: 100 } fault)
        {
            Reply(fault.AbortStatus, "fault filter abort", "FI", "fault_filter_abort");
            return;
        }

        if (forward.Cors?.Evaluate(in request) == CorsOutcome.AnswerPreflight)
        {
            Reply(200, "", "-", "cors_response");
            foreach (var header in forward.Cors.PreflightHeaders(request.GetHeader("origin")[0], request.GetHeader("access-control-request-method")[0], null))
            {
                Headers[header.Name] = [header.Value];
            }

            return;
        }

        Forward(forward, route, request, headers, random);
    }

    private void Forward(ForwardAction forward, CompiledRoute route, TestRequest request, IEnumerable<(string Name, string Value)> headers, uint random)
    {
        var destination = forward.Pick(random);
        Cluster = destination.Cluster;
        if (Cluster is null)
        {
            Reply(503, "", "NC", "cluster_not_found");
            return;
        }

        if (Cluster.Endpoints.IsEmpty)
        {
            Reply(503, "no healthy upstream", "UH", "no_healthy_upstream");
            return;
        }

        var path = forward.PathRewrite?.Apply(route.Path, request.Path) ?? request.Path;
        UpstreamPath = request.Query is { } query ? $"{path}?{query}" : path;
        UpstreamHost = destination.Authority ?? request.Authority;
        foreach (var (name, value) in headers)
        {
            (UpstreamHeaders.TryGetValue(name, out var lines) ? lines : UpstreamHeaders[name] = []).Add(value);
        }

        Mutate(UpstreamHeaders, destination.RequestHeaders);
        Mutate(Headers, destination.ResponseHeaders);
    }

    private Outcome Reply(int status, string body, string flags, string details)
    {
        (Status, Body, Flags, Details) = (status, body, flags, details);
        return this;
    }

    internal static void Mutate(Dictionary<string, List<string>> headers, HeaderMutations mutations)
    {
        var nothing = new NoCommands();
        foreach (var operation in mutations.Operations)
        {
            switch (operation.Kind)
            {
                case HeaderMutationKind.Remove:
                    headers.Remove(operation.Name);
                    break;
                case HeaderMutationKind.Set:
                    headers[operation.Name] = [operation.Value.Render(in nothing)];
                    break;
                default:
                    (headers.TryGetValue(operation.Name, out var lines) ? lines : headers[operation.Name] = []).Add(operation.Value.Render(in nothing));
                    break;
            }
        }
    }

    private readonly struct NoCommands : IHeaderCommandSource
    {
        public string? Value(HeaderCommand command, string argument) => null;
    }
}
