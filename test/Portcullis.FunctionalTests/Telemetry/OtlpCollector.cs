using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Portcullis.FunctionalTests.Telemetry;

/// <summary>A span as it came over OTLP, as far as the tests look.</summary>
internal sealed record ReceivedSpan(string TraceId, string SpanId, string ParentId, string TraceState, string Name, long Kind, IReadOnlyDictionary<string, string> Tags, long Status);

/// <summary>An OTLP collector on a real socket, for gRPC or HTTP with protobuf; reads the few fields of the messages that are asked about.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly bool _isGrpc;
    private readonly SemaphoreSlim _came = new(0);

    private OtlpCollector(WebApplication application, bool isGrpc) => (_application, _isGrpc) = (application, isGrpc);

    public ConcurrentQueue<ReceivedSpan> Spans { get; } = new();

    public ConcurrentQueue<string> Resources { get; } = new();

    public ConcurrentQueue<IHeaderDictionary> Headers { get; } = new();

    public int Port { get; private set; }

    public static async Task<OtlpCollector> StartAsync(bool isGrpc)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(o => o.Listen(IPAddress.Loopback, 0, l => l.Protocols = isGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
        var application = builder.Build();
        var collector = new OtlpCollector(application, isGrpc);
        application.Run(collector.ReceiveAsync);
        await application.StartAsync(TestContext.Current.CancellationToken);
        collector.Port = new Uri(application.Urls.Single()).Port;
        return collector;
    }

    /// <summary>The next span to come.</summary>
    public async Task<ReceivedSpan> NextAsync()
    {
        Assert.True(await _came.WaitAsync(Support.PortcullisProcess.Patience, TestContext.Current.CancellationToken), "no span came");
        Assert.True(Spans.TryDequeue(out var span));
        return span;
    }

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        _came.Dispose();
    }

    private async Task ReceiveAsync(HttpContext http)
    {
        Assert.Equal(_isGrpc ? "/opentelemetry.proto.collector.trace.v1.TraceService/Export" : "/custom/traces", http.Request.Path);
        // The server uses its dictionary again for the next request.
        Headers.Enqueue(new HeaderDictionary(http.Request.Headers.ToDictionary()));
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        var message = body.ToArray();
        if (_isGrpc)
        {
            message = message[5..(5 + (int)BinaryPrimitives.ReadUInt32BigEndian(message.AsSpan(1)))];
        }

        Read(message);
        http.Response.ContentType = _isGrpc ? "application/grpc" : "application/x-protobuf";
        if (_isGrpc)
        {
            await http.Response.Body.WriteAsync(new byte[5]);
            http.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers["grpc-status"] = "0";
        }
    }

    /// <summary>ExportTraceServiceRequest: 1 resource_spans {1 resource {1 attributes}, 2 scope_spans {2 spans}}.</summary>
    private void Read(byte[] message)
    {
        foreach (var resourceSpans in Fields(message).Where(f => f.Number == 1))
        {
            foreach (var part in Fields(resourceSpans.Bytes))
            {
                if (part.Number == 1)
                {
                    Resources.Enqueue(string.Join(';', Tags(part.Bytes, 1).Select(t => $"{t.Key}={t.Value}")));
                }

                foreach (var span in part.Number == 2 ? Fields(part.Bytes).Where(f => f.Number == 2) : [])
                {
                    Spans.Enqueue(ReadSpan(span.Bytes));
                    _came.Release();
                }
            }
        }
    }

    private static ReceivedSpan ReadSpan(byte[] message)
    {
        var fields = Fields(message);
        string Hex(int number) => Convert.ToHexStringLower(fields.FirstOrDefault(f => f.Number == number).Bytes ?? []);
        string Text(int number) => Encoding.UTF8.GetString(fields.FirstOrDefault(f => f.Number == number).Bytes ?? []);
        var status = fields.FirstOrDefault(f => f.Number == 15).Bytes is { } s ? Fields(s).FirstOrDefault(f => f.Number == 3).Value : 0;
        return new(Hex(1), Hex(2), Hex(4), Text(3), Text(5), fields.FirstOrDefault(f => f.Number == 6).Value, Tags(message, 9), status);
    }

    /// <summary>KeyValue {1 key, 2 AnyValue {1 text, 3 integer}}.</summary>
    private static Dictionary<string, string> Tags(byte[] message, int number) => Fields(message)
        .Where(f => f.Number == number)
        .Select(f => Fields(f.Bytes))
        .ToDictionary(
            pair => Encoding.UTF8.GetString(pair.Single(f => f.Number == 1).Bytes),
            pair => Fields(pair.Single(f => f.Number == 2).Bytes).Select(v => v.Number == 1 ? Encoding.UTF8.GetString(v.Bytes) : v.Value.ToString(System.Globalization.CultureInfo.InvariantCulture)).FirstOrDefault() ?? "");

    private static List<(int Number, long Value, byte[] Bytes)> Fields(byte[] message)
    {
        var fields = new List<(int, long, byte[])>();
        var at = 0;
        while (at < message.Length)
        {
            var key = Varint(message, ref at);
            switch (key & 7)
            {
                case 0:
                    fields.Add(((int)(key >> 3), Varint(message, ref at), []));
                    break;
                case 2:
                    var length = (int)Varint(message, ref at);
                    fields.Add(((int)(key >> 3), 0, message[at..(at + length)]));
                    at += length;
                    break;
                default:
                    at += (key & 7) == 1 ? 8 : 4;
                    break;
            }
        }

        return fields;
    }

    private static long Varint(byte[] message, ref int at)
    {
        long value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var unit = message[at++];
            value |= (long)(unit & 0x7f) << shift;
            if (unit < 0x80)
            {
                return value;
            }
        }
    }
}
