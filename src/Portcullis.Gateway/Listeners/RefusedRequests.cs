using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Telemetry.AccessLogs;

namespace Portcullis.Gateway.Listeners;

/// <summary>
/// Writes the access log's lines of requests that the HTTP server refuses by itself, before there is a request that the gateway could see: headers that
/// do not end, are too large, or are none. The server tells of them nowhere but in its own log, which is listened to here; nothing of what the client
/// sent is in it.
/// </summary>
internal sealed class RefusedRequests(SnapshotHolder<GatewaySnapshot> snapshots, TimeProvider time)
{
    private const string Category = "Microsoft.AspNetCore.Server.Kestrel.BadRequests";

    /// <summary>The event of a connection whose request was refused.</summary>
    private const int ConnectionBadRequest = 17;

    /// <summary>The open HTTP/1 connections, by the id that the server names them with.</summary>
    private readonly ConcurrentDictionary<string, ConnectionContext> _connections = new(StringComparer.Ordinal);

    /// <summary>Serves a connection, and hears what is refused on it.</summary>
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        _connections[connection.ConnectionId] = connection;
        try
        {
            await next(connection);
        }
        finally
        {
            _connections.TryRemove(connection.ConnectionId, out _);
        }
    }

    /// <summary>The factory of the server's loggers.</summary>
    public ILoggerFactory Listen(ILoggerFactory loggers) => new Factory(this, loggers);

    /// <summary>What Envoy says of a refusal: its response code details and flags.</summary>
    /// <param name="refusal">The server's. Its text is one of a fixed set.</param>
    /// <returns><see langword="null"/> for one of a request's body: that request has its own line.</returns>
    internal static (string Details, string? Flags)? Explain(BadHttpRequestException refusal)
    {
        var text = refusal.Message;
        if (refusal.StatusCode == StatusCodes.Status413PayloadTooLarge || IsOfBody(text))
        {
            return null;
        }

        return refusal.StatusCode switch
        {
            StatusCodes.Status408RequestTimeout => ("request_header_timeout", null),
            StatusCodes.Status414UriTooLong => ("http1.headers_too_large", "DPE"),
            StatusCodes.Status431RequestHeaderFieldsTooLarge => (text.Contains("too many", StringComparison.Ordinal) ? "http1.too_many_headers" : "http1.headers_too_large", "DPE"),
            StatusCodes.Status400BadRequest when text.Contains("missing Host", StringComparison.Ordinal) => ("missing_host_header", null),
            _ => ("http1.codec_error", "DPE"),
        };
    }

    private static bool IsOfBody(string text) =>
        text.StartsWith("Bad chunk", StringComparison.Ordinal)
        || text.StartsWith("Unexpected end of request content", StringComparison.Ordinal)
        || text.StartsWith("Reading the request body timed out", StringComparison.Ordinal);

    private void Hear(BadHttpRequestException refusal, string? id)
    {
        if (id is null || !_connections.TryGetValue(id, out var connection) || snapshots.Current.AccessLog is not { } log || Explain(refusal) is not var (details, flags))
        {
            return;
        }

        var entry = new ConnectionEntry(log, connection, connection.Features.Get<DownstreamConnection>(), time);
        entry.Refuse(refusal.StatusCode, details, flags);
        entry.Write();
    }

    private sealed class Factory(RefusedRequests owner, ILoggerFactory inner) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) =>
            categoryName == Category ? new Listener(owner, inner.CreateLogger(categoryName)) : inner.CreateLogger(categoryName);

        public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

        public void Dispose()
        {
            // The inner factory is another's.
        }
    }

    private sealed class Listener(RefusedRequests owner, ILogger inner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel == LogLevel.Debug || inner.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == ConnectionBadRequest && exception is BadHttpRequestException refusal)
            {
                owner.Hear(refusal, IdIn(state));
            }

            if (inner.IsEnabled(logLevel))
            {
                inner.Log(logLevel, eventId, state, exception, formatter);
            }
        }

        private static string? IdIn<TState>(TState state)
        {
            if (state is IReadOnlyList<KeyValuePair<string, object?>> values)
            {
                for (var i = 0; i < values.Count; i++)
                {
                    if (values[i].Key == "ConnectionId")
                    {
                        return values[i].Value as string;
                    }
                }
            }

            return null;
        }
    }
}
