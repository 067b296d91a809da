using System.Globalization;
using BenchmarkDotNet.Attributes;
using Portcullis.Gateway.Forwarding;
using Portcullis.Gateway.Forwarding.Http1;

namespace Portcullis.Benchmarks;

/// <summary>The heads of HTTP/1.1 between gateway and backend: one written, one parsed, and its headers made strings.</summary>
[MemoryDiagnoser]
public class Http1Benchmarks
{
    private readonly Http1ResponseParser _parser = new();
    private readonly ChunkedDecoder _decoder = new();
    private readonly HeaderMemo _memo = new();
    private readonly HeadBuffer _buffer = new();
    private readonly HeaderLine[] _lines =
    [
        new("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"), new("Accept", "text/html,application/xhtml+xml"),
        new("Accept-Language", "en-GB,en;q=0.5"), new("Accept-Encoding", "gzip, deflate, br"), new("Authorization", "Bearer " + new string('x', 700)),
        new("x-forwarded-for", "192.0.2.1"), new("x-forwarded-proto", "http"), new("x-request-id", "0b5a2c6e-6b0c-4d8e-9d2b-0a1b2c3d4e5f"), new("x-envoy-attempt-count", "1"),
        new("x-envoy-external-address", "192.0.2.1"),
    ];

    private readonly byte[] _head =
        "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Tue, 24 Nov 2026 12:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: 1024\r\nLast-Modified: Mon, 23 Nov 2026 12:00:00 GMT\r\nConnection: keep-alive\r\nETag: \"65f1a2b3-400\"\r\nAccept-Ranges: bytes\r\n\r\n"u8.ToArray();

    private readonly byte[] _chunked = [.. string.Create(CultureInfo.InvariantCulture, $"400\r\n{new string('x', 1024)}\r\n0\r\n\r\n").Select(c => (byte)c)];

    [Benchmark]
    public bool WriteRequest()
    {
        _buffer.Clear();
        return Http1RequestWriter.TryWrite(_buffer, "GET", "/api/v1/orders?id=12345", "api.example.com", _lines, null, isChunked: false);
    }

    [Benchmark]
    public int ParseResponse()
    {
        _parser.Reset();
        _parser.Parse(_head);
        return _parser.HeadLength;
    }

    [Benchmark]
    public int ParseResponseToStrings()
    {
        var length = ParseResponse();
        foreach (ref readonly var header in _parser.Headers)
        {
            length += _memo.Line(_head.AsSpan(header.Name, header.NameLength), _head.AsSpan(header.Value, header.ValueLength)).Value.Length;
        }

        return length;
    }

    [Benchmark]
    public int DecodeChunks()
    {
        _decoder.Reset();
        var (start, length) = (0, 0);
        while (_decoder.Read(_chunked.AsSpan(start), out var consumed, out var data) == ParseStatus.NeedsMore)
        {
            start += consumed;
            length += data.Length;
        }

        return length;
    }
}
