using System.Globalization;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Portcullis.Gateway.Pipeline;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.Forwarding;

/// <summary>
/// The one place that says which headers a backend gets: what the client sent without what belongs to its connection, what the gateway adds, and the route's
/// own operations. Every forwarder writes what is here. The authority, the target and the framing of the body are not headers here.
/// </summary>
internal static class UpstreamRequestHead
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    /// <summary>Fills <see cref="GatewayContext.UpstreamHeaders"/> for the next try.</summary>
    public static void Fill(GatewayContext context)
    {
        var lines = context.UpstreamHeaders;
        lines.Clear();
        var headers = context.Http.Request.Headers;
        foreach (var (name, values) in headers)
        {
            if (name.StartsWith(':') || IsDropped(name) || IsContinueExpected(name, values))
            {
                continue;
            }

            if (values.Count > 1 && name.Equals(HeaderNames.Cookie, StringComparison.OrdinalIgnoreCase))
            {
                // HTTP/2 may split what HTTP/1.1 allows only once (RFC 9113 §8.2.3).
                lines.Add(name, string.Join("; ", (IEnumerable<string?>)values));
                continue;
            }

            lines.Add(name, in values);
        }

        if (headers.TE is [{ } te] && te.Contains("trailers", StringComparison.OrdinalIgnoreCase))
        {
            lines.Add(HeaderNames.TE, "trailers");
        }

        AddForwarded(context, lines);
        Mutate(context, lines);
    }

    /// <summary>
    /// Headers of the client's connection, and headers that the gateway writes anew whatever the client sent.
    /// </summary>
    public static bool IsDropped(string name) => HopByHopHeaders.Contains(name) || name.Length switch
    {
        4 => Is(name, "host"),
        12 => Is(name, "x-request-id"),
        15 => Is(name, "x-forwarded-for"),
        17 => Is(name, "x-forwarded-proto"),
        _ => false,
    };

    /// <summary>The server in front answers <c>Expect: 100-continue</c> when the body is first read.</summary>
    private static bool IsContinueExpected(string name, in StringValues values) => name.Length == 6 && Is(name, "expect") && values is [{ } value] && Is(value, "100-continue");

    private static bool Is(string name, string lower) => name.Equals(lower, StringComparison.OrdinalIgnoreCase);

    private static void AddForwarded(GatewayContext context, UpstreamHeaders lines)
    {
        lines.Add("x-forwarded-for", context.ForwardedFor);
        lines.Add("x-forwarded-proto", context.Scheme);
        var mesh = context.Snapshot.Mesh;
        var wanted = mesh.ProxyHeaders;
        if (context.RequestId.Length > 0)
        {
            lines.Add("x-request-id", context.RequestId);
        }

        if (wanted.HasAttemptCount)
        {
            lines.Add("x-envoy-attempt-count", context.Attempt.ToString(CultureInfo.InvariantCulture));
        }

        if (context.RemoteAddress is { } client)
        {
            lines.Add("x-envoy-external-address", context.Addresses.Text(client));
        }

        if (context.Upstream.ExpectedTimeout is { } timeout)
        {
            // A rest below a millisecond is still a limit, which 0 would not be.
            timeout = timeout < Shortest ? Shortest : timeout;
            if (wanted.HasDebugHeaders)
            {
                lines.Add("x-envoy-expected-rq-timeout-ms", ((long)timeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture));
            }

            if (LocalReply.IsGrpc(context.Http.Request))
            {
                lines.Set("grpc-timeout", GrpcTimeout.Format(timeout));
            }
        }

        if (wanted.HasDebugHeaders && context.OriginalTarget is { } original)
        {
            lines.Add("x-envoy-original-path", original);
        }

        if (context.Destination!.Authority is not null)
        {
            AddOriginalHost(context, wanted, lines);
        }

        if (wanted.HasForwardedPort && (mesh.NumTrustedProxies == 0 || !context.Http.Request.Headers.ContainsKey("x-forwarded-port")))
        {
            lines.Set("x-forwarded-port", context.Http.Connection.LocalPort.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static void AddOriginalHost(GatewayContext context, ProxyHeaders wanted, UpstreamHeaders lines)
    {
        if (wanted.HasDebugHeaders)
        {
            lines.Add("x-envoy-original-host", context.Authority);
        }

        if (!wanted.HasForwardedHost || context.Authority.Length == 0)
        {
            return;
        }

        // A host that a proxy in front already has put last is not put there again.
        var before = context.Http.Request.Headers["x-forwarded-host"].ToString();
        var last = before.AsSpan()[(before.LastIndexOf(',') + 1)..].Trim();
        if (!last.SequenceEqual(context.Authority))
        {
            lines.Set("x-forwarded-host", before.Length == 0 ? context.Authority : $"{before},{context.Authority}");
        }
    }

    private static void Mutate(GatewayContext context, UpstreamHeaders lines)
    {
        if (context.Destination!.RequestHeaders is not { IsEmpty: false } mutations)
        {
            return;
        }

        var source = new HeaderCommandSource(context);
        foreach (var mutation in mutations.Operations)
        {
            var value = mutation.Value.Render(in source);
            switch (mutation.Kind)
            {
                case HeaderMutationKind.Remove:
                    lines.Remove(mutation.Name);
                    break;
                case HeaderMutationKind.Set when value.Length > 0:
                    lines.Set(mutation.Name, value);
                    break;
                case HeaderMutationKind.Add when value.Length > 0:
                    lines.Add(mutation.Name, value);
                    break;
            }
        }
    }
}
