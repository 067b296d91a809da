using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Portcullis.Gateway.Pipeline;
using Portcullis.Resources;

namespace Portcullis.Gateway.Telemetry.AccessLogs;

/// <summary>One line of the access log, compiled from Envoy's format language: text with <c>%COMMAND(argument):length%</c> operators.</summary>
internal sealed class AccessLogFormat
{
    /// <summary>Istio's default text format (routing.md §8).</summary>
    public const string DefaultText =
        "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% "
        + "%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% \"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% %BYTES_SENT% "
        + "%DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" "
        + "\"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% "
        + "%DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n";

    private static readonly (string Key, string Format)[] DefaultJson =
    [
        ("start_time", "%START_TIME%"),
        ("route_name", "%ROUTE_NAME%"),
        ("method", "%REQ(:METHOD)%"),
        ("path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"),
        ("protocol", "%PROTOCOL%"),
        ("response_code", "%RESPONSE_CODE%"),
        ("response_flags", "%RESPONSE_FLAGS%"),
        ("response_code_details", "%RESPONSE_CODE_DETAILS%"),
        ("connection_termination_details", "%CONNECTION_TERMINATION_DETAILS%"),
        ("bytes_received", "%BYTES_RECEIVED%"),
        ("bytes_sent", "%BYTES_SENT%"),
        ("duration", "%DURATION%"),
        ("upstream_service_time", "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"),
        ("x_forwarded_for", "%REQ(X-FORWARDED-FOR)%"),
        ("user_agent", "%REQ(USER-AGENT)%"),
        ("request_id", "%REQ(X-REQUEST-ID)%"),
        ("authority", "%REQ(:AUTHORITY)%"),
        ("upstream_host", "%UPSTREAM_HOST%"),
        ("upstream_cluster", "%UPSTREAM_CLUSTER%"),
        ("upstream_local_address", "%UPSTREAM_LOCAL_ADDRESS%"),
        ("downstream_local_address", "%DOWNSTREAM_LOCAL_ADDRESS%"),
        ("downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%"),
        ("requested_server_name", "%REQUESTED_SERVER_NAME%"),
        ("upstream_transport_failure_reason", "%UPSTREAM_TRANSPORT_FAILURE_REASON%"),
    ];

    private readonly ImmutableArray<AccessLogSegment> _segments;
    private readonly ImmutableArray<(JsonEncodedText Key, ImmutableArray<AccessLogSegment> Value)> _members;

    private AccessLogFormat(ImmutableArray<AccessLogSegment> segments) => _segments = segments;

    private AccessLogFormat(ImmutableArray<(JsonEncodedText, ImmutableArray<AccessLogSegment>)> members) => _members = members;

    /// <summary>Compiles the mesh configuration's format; Istio's default where none is given.</summary>
    /// <exception cref="FormatException">The format has an unknown or unbalanced operator; the message names it.</exception>
    public static AccessLogFormat Compile(AccessLogEncoding encoding, string format)
    {
        if (encoding == AccessLogEncoding.Text)
        {
            return new AccessLogFormat(AccessLogSegment.Parse(format.Length == 0 ? DefaultText : format));
        }

        var members = format.Length == 0 ? DefaultJson : ReadJsonFormat(format);
        return new AccessLogFormat([.. members.Select(m => (JsonEncodedText.Encode(m.Key), AccessLogSegment.Parse(m.Format)))]);
    }

    /// <summary>Appends the line, with its line feed.</summary>
    public void Write(GatewayContext context, StringBuilder line)
    {
        if (!_segments.IsDefault)
        {
            foreach (var segment in _segments)
            {
                segment.AppendText(context, line);
            }

            return;
        }

        line.Append('{');
        var first = true;
        foreach (var (key, value) in _members)
        {
            line.Append(first ? "\"" : ",\"").Append(key.Value).Append("\":");
            AccessLogSegment.AppendJson(value, context, line);
            first = false;
        }

        line.Append("}\n");
    }

    private static (string Key, string Format)[] ReadJsonFormat(string format)
    {
        try
        {
            using var document = JsonDocument.Parse(format);
            return [.. document.RootElement.EnumerateObject().Select(m => (m.Name, m.Value.GetString() ?? ""))];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FormatException("with JSON encoding, the format is a JSON object of strings, for example {\"path\":\"%REQ(:PATH)%\"}", e);
        }
    }
}
