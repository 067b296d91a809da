using System.Buffers;
using System.Text;
using Portcullis.Gateway.Forwarding.Http1;

namespace Portcullis.Fuzz;

/// <summary>What a backend may send over HTTP/1.1: a head, then a chunked body. Whole and in pieces it must come to the same, and nothing that could end a line may be left in a part.</summary>
public sealed class ResponseTarget : FuzzTarget
{
    private static readonly SearchValues<byte> NotInNames = SearchValues.Create("\r\n\0: \t"u8);

    private readonly Http1ResponseParser _parser = new();
    private readonly ChunkedDecoder _decoder = new();

    public override string Name => "response";

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello"u8.ToArray(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n5\r\nhello\r\n00A;a=b\r\n0123456789\r\n0\r\nX-T: t\r\n\r\n"u8.ToArray(),
        "HTTP/1.0 404 Not Found\r\nConnection: keep-alive, x\r\nX: y\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\nrest"u8.ToArray(),
        "HTTP/1.1 204\r\n\r\n"u8.ToArray(),
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nKeep-Alive: timeout=5\r\n\r\n"u8.ToArray(),
    ];

    public override byte[] Mutate(Mutator mutator, byte[] input) => mutator.Bytes(input);

    public override string Run(byte[] input)
    {
        var whole = Read(input, input.Length);
        foreach (var piece in (ReadOnlySpan<int>)[1, 2 + (input.Length % 7)])
        {
            if (Read(input, piece) is var pieces && pieces != whole)
            {
                throw new FuzzViolationException($"whole: {whole}, in pieces of {piece}: {pieces}");
            }
        }

        return whole[..whole.IndexOf('#', StringComparison.Ordinal)];
    }

    private string Read(byte[] input, int piece)
    {
        _parser.Reset();
        _decoder.Reset();
        var end = 0;
        ParseStatus status;
        do
        {
            end = Math.Min(input.Length, end + Math.Max(1, piece));
            status = _parser.Parse(input.AsSpan(0, end));
        }
        while (status == ParseStatus.NeedsMore && end < input.Length);

        if (status != ParseStatus.Complete)
        {
            return $"{status}#";
        }

        Check(input);
        var framing = _parser.Framing(isHead: false);
        var summary = $"{status} {framing} {_parser.Headers.Length} {_parser.MinorVersion} {_parser.KeepsAlive(isHead: false)}";
        return framing == BodyFraming.Chunked
            ? $"{summary} {Decode(input, _parser.HeadLength, piece)}"
            : $"{summary}#{_parser.Status} {_parser.ContentLength} {_parser.HeadLength}";
    }

    private void Check(byte[] input)
    {
        if (_parser.HeadLength > input.Length || _parser.Status is < 100 or > 999)
        {
            throw new FuzzViolationException($"head of {_parser.HeadLength} bytes, status {_parser.Status}");
        }

        var lengths = 0;
        foreach (var header in _parser.Headers)
        {
            var name = input.AsSpan(header.Name, header.NameLength);
            var value = input.AsSpan(header.Value, header.ValueLength);
            if (name.IsEmpty || name.ContainsAny(NotInNames) || value.ContainsAny((byte)'\r', (byte)'\n', (byte)0))
            {
                throw new FuzzViolationException("a header that could be read as two");
            }

            lengths += Encoding.ASCII.GetString(name).ToUpperInvariant() is "CONTENT-LENGTH" or "TRANSFER-ENCODING" ? 1 : 0;
        }

        if (lengths > 1)
        {
            throw new FuzzViolationException("framed twice");
        }
    }

    private string Decode(byte[] input, int start, int piece)
    {
        var status = ParseStatus.NeedsMore;
        var (end, length, hash) = (start, 0L, 17);
        while (status == ParseStatus.NeedsMore)
        {
            status = _decoder.Read(input.AsSpan(start, end - start), out var consumed, out var data);
            foreach (var b in data)
            {
                hash = unchecked((hash * 31) + b);
            }

            length += data.Length;
            start += consumed;
            if (status == ParseStatus.NeedsMore && start == end && data.IsEmpty)
            {
                if (end == input.Length)
                {
                    break;
                }

                end = Math.Min(input.Length, end + Math.Max(1, piece));
            }
        }

        return $"{status} {(status == ParseStatus.Complete ? _decoder.TrailerLines : 0)}#{length} {hash} {(status == ParseStatus.Complete ? start : 0)}";
    }
}
