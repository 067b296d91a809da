using System.Buffers;
using System.Text;

namespace Portcullis.Gateway.Forwarding.Http1;

/// <summary>
/// Parses the head of a response in place (RFC 9112 §4, §5). Takes the same bytes again with more behind them until the head is complete, and looks at each only once. Strict: what two
/// readers could understand in two ways is not understood at all.
/// </summary>
internal sealed class Http1ResponseParser
{
    /// <summary>Longest head in bytes (Envoy's <c>max_response_headers_kb</c>, 60 KiB).</summary>
    public const int MaxHeadLength = 60 * 1024;

    /// <summary>Most header lines (Envoy's <c>max_headers_count</c>).</summary>
    public const int MaxHeaders = 100;

    private const int StatusLineStart = 12; // "HTTP/1.1 200"
    private const int MaxConnectionOptions = 8;

    private static readonly SearchValues<byte> Token = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>Control characters but the tab.</summary>
    private static readonly SearchValues<byte> Control = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127]);

    private readonly HeaderSlice[] _headers = new HeaderSlice[MaxHeaders];
    private readonly (int Start, int Length)[] _options = new (int, int)[MaxConnectionOptions];
    private int _count;
    private int _optionCount;
    private int _lineStart;
    private int _scanned;
    private bool _hasStatusLine;
    private bool _hasLength;
    private bool _isChunked;
    private bool _closes;

    /// <summary>Three digits.</summary>
    public int Status { get; private set; }

    /// <summary>Minor version: 0 or 1.</summary>
    public int MinorVersion { get; private set; }

    /// <summary>Where the reason phrase is.</summary>
    public (int Start, int Length) Reason { get; private set; }

    /// <summary>The header lines in their order.</summary>
    public ReadOnlySpan<HeaderSlice> Headers => _headers.AsSpan(0, _count);

    /// <summary>Bytes of the head, once it is complete.</summary>
    public int HeadLength { get; private set; }

    /// <summary><c>Content-Length</c>; -1 when there is none.</summary>
    public long ContentLength { get; private set; }

    /// <summary>Gets ready for the next head.</summary>
    public void Reset()
    {
        _count = _optionCount = _lineStart = _scanned = 0;
        _hasStatusLine = _hasLength = _isChunked = _closes = false;
        Status = HeadLength = 0;
        ContentLength = -1;
    }

    /// <summary>Goes on where the last call stopped.</summary>
    /// <param name="bytes">All bytes of the head so far, from its first.</param>
    public ParseStatus Parse(ReadOnlySpan<byte> bytes)
    {
        var limit = Math.Min(bytes.Length, MaxHeadLength);
        while (true)
        {
            var end = bytes[_scanned..limit].IndexOf((byte)'\n');
            if (end < 0)
            {
                _scanned = limit;
                return bytes.Length > limit ? ParseStatus.TooLarge : Unfinished(bytes);
            }

            end += _scanned;
            _scanned = end + 1;
            if (end == _lineStart || bytes[end - 1] != '\r')
            {
                return ParseStatus.Invalid;
            }

            var start = _lineStart;
            var line = bytes[start..(end - 1)];
            _lineStart = _scanned;
            if (!_hasStatusLine)
            {
                if (!TryStatusLine(line))
                {
                    return ParseStatus.Invalid;
                }
            }
            else if (line.IsEmpty)
            {
                HeadLength = _lineStart;
                DropNamed(bytes);
                return ParseStatus.Complete;
            }
            else if (_count == MaxHeaders)
            {
                return ParseStatus.TooLarge;
            }
            else if (!TryHeader(line, start))
            {
                return ParseStatus.Invalid;
            }
        }
    }

    /// <summary>How the body ends.</summary>
    /// <param name="isHead">The request was a HEAD.</param>
    public BodyFraming Framing(bool isHead)
    {
        if (isHead || Status is 204 or 205 or 304 or < 200)
        {
            return BodyFraming.None;
        }

        return _isChunked ? BodyFraming.Chunked : ContentLength switch
        {
            < 0 => BodyFraming.UntilClose,
            0 => BodyFraming.None,
            _ => BodyFraming.Length,
        };
    }

    /// <summary>Whether the connection may serve another request once the body has ended.</summary>
    /// <param name="isHead">The request was a HEAD.</param>
    public bool KeepsAlive(bool isHead)
    {
        if (MinorVersion == 0 || _closes || Framing(isHead) == BodyFraming.UntilClose)
        {
            return false;
        }

        // A status that has no body, announcing one: nobody knows whether it comes.
        return isHead || Status switch
        {
            204 => !_isChunked && ContentLength <= 0,
            205 => ContentLength == 0,
            _ => true,
        };
    }

    /// <summary>Whether a name is one header's, whatever its case.</summary>
    /// <param name="name">As the backend wrote it.</param>
    /// <param name="lower">In lower case.</param>
    public static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lower) => Ascii.EqualsIgnoreCase(name, lower);

    /// <summary>Whether bytes are a header line, and where its parts are.</summary>
    public static bool TrySplit(ReadOnlySpan<byte> line, out int nameLength, out Range value)
    {
        value = default;
        nameLength = line.IndexOf((byte)':');
        if (nameLength <= 0 || line[..nameLength].ContainsAnyExcept(Token))
        {
            return false;
        }

        var (start, end) = (nameLength + 1, line.Length);
        while (start < end && line[start] is (byte)' ' or (byte)'\t')
        {
            start++;
        }

        while (end > start && line[end - 1] is (byte)' ' or (byte)'\t')
        {
            end--;
        }

        value = start..end;
        return !line[start..end].ContainsAny(Control);
    }

    /// <summary>A line that has not ended can be seen to be none of HTTP's: a backend that waits for us would else be waited for.</summary>
    private ParseStatus Unfinished(ReadOnlySpan<byte> bytes)
    {
        if (_hasStatusLine)
        {
            return ParseStatus.NeedsMore;
        }

        ReadOnlySpan<byte> protocol = "HTTP/1."u8;
        var known = Math.Min(bytes.Length, protocol.Length);
        return bytes[..known].SequenceEqual(protocol[..known]) ? ParseStatus.NeedsMore : ParseStatus.Invalid;
    }

    private bool TryStatusLine(ReadOnlySpan<byte> line)
    {
        if (line.Length < StatusLineStart || !line.StartsWith("HTTP/1."u8) || line[7] is not ((byte)'0' or (byte)'1') || line[8] != ' '
            || !char.IsAsciiDigit((char)line[9]) || !char.IsAsciiDigit((char)line[10]) || !char.IsAsciiDigit((char)line[11])
            || (line.Length > StatusLineStart && line[StatusLineStart] != ' ') || line[StatusLineStart..].ContainsAny(Control))
        {
            return false;
        }

        MinorVersion = line[7] - '0';
        Status = ((line[9] - '0') * 100) + ((line[10] - '0') * 10) + (line[11] - '0');
        Reason = line.Length > StatusLineStart ? (StatusLineStart + 1, line.Length - StatusLineStart - 1) : (StatusLineStart, 0);
        _hasStatusLine = true;
        return Status >= 100;
    }

    private bool TryHeader(ReadOnlySpan<byte> line, int start)
    {
        if (!TrySplit(line, out var nameLength, out var range))
        {
            return false;
        }

        var name = line[..nameLength];
        var value = line[range];
        var ofConnection = false;
        switch (nameLength)
        {
            case 7 when Is(name, "upgrade"u8) || Is(name, "trailer"u8):
            case 10 when Is(name, "keep-alive"u8):
            case 16 when Is(name, "proxy-connection"u8):
                ofConnection = true;
                break;
            case 10 when Is(name, "connection"u8):
                ofConnection = true;
                if (!TryOptions(value, start + range.Start.Value))
                {
                    return false;
                }

                break;
            case 14 when Is(name, "content-length"u8):
                ofConnection = true;
                if (_hasLength || _isChunked || !TryLength(value))
                {
                    return false;
                }

                break;
            case 17 when Is(name, "transfer-encoding"u8):
                ofConnection = true;
                if (_hasLength || _isChunked || MinorVersion == 0 || !Is(value, "chunked"u8))
                {
                    return false;
                }

                _isChunked = true;
                break;
        }

        _headers[_count++] = new HeaderSlice(start, nameLength, start + range.Start.Value, value.Length, ofConnection);
        return true;
    }

    private bool TryLength(ReadOnlySpan<byte> value)
    {
        // 18 digits fit a long whatever they are.
        if (value.Length is 0 or > 18)
        {
            return false;
        }

        var length = 0L;
        foreach (var digit in value)
        {
            if (!char.IsAsciiDigit((char)digit))
            {
                return false;
            }

            length = (length * 10) + (digit - '0');
        }

        (_hasLength, ContentLength) = (true, length);
        return true;
    }

    private bool TryOptions(ReadOnlySpan<byte> value, int start)
    {
        foreach (var range in value.Split((byte)','))
        {
            var (from, to) = (range.Start.GetOffset(value.Length), range.End.GetOffset(value.Length));
            while (from < to && value[from] is (byte)' ' or (byte)'\t')
            {
                from++;
            }

            while (to > from && value[to - 1] is (byte)' ' or (byte)'\t')
            {
                to--;
            }

            var option = value[from..to];
            if (Is(option, "close"u8))
            {
                _closes = true;
            }
            else if (!option.IsEmpty && !Is(option, "keep-alive"u8))
            {
                if (_optionCount == MaxConnectionOptions)
                {
                    return false;
                }

                _options[_optionCount++] = (start + from, option.Length);
            }
        }

        return true;
    }

    /// <summary>Headers that <c>Connection</c> names are for this hop alone (RFC 9110 §7.6.1).</summary>
    private void DropNamed(ReadOnlySpan<byte> bytes)
    {
        foreach (var (start, length) in _options.AsSpan(0, _optionCount))
        {
            for (var i = 0; i < _count; i++)
            {
                ref var header = ref _headers[i];
                if (header.NameLength == length && Ascii.EqualsIgnoreCase(bytes.Slice(header.Name, length), bytes.Slice(start, length)))
                {
                    header = header with { IsOfConnection = true };
                }
            }
        }
    }
}
