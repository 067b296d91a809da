using System.Buffers;

namespace Portcullis.Gateway.Forwarding.Http1;

/// <summary>
/// Decodes a chunked body in place (RFC 9112 §7.1), whatever pieces it comes in. Strict about line ends and sizes; chunk extensions are skipped, trailers kept.
/// </summary>
internal sealed class ChunkedDecoder
{
    /// <summary>Most bytes of chunk extensions of one body: they carry nothing, and are read for nothing.</summary>
    public const int MaxExtensions = 16 * 1024;

    /// <summary>Most bytes of trailers.</summary>
    public const int MaxTrailers = 16 * 1024;

    /// <summary>Most trailer lines.</summary>
    public const int MaxTrailerLines = Http1ResponseParser.MaxHeaders;

    /// <summary>Hexadecimal digits of a size that fits a <see cref="long"/>; leading zeros count.</summary>
    private const int MaxSizeDigits = 15;

    private State _state;
    private long _remaining;
    private int _digits;
    private int _extensions;
    private byte[]? _trailers;
    private int _trailersLength;
    private int _lineStart;

    private enum State
    {
        Size,
        Extension,
        SizeLineFeed,
        Data,
        DataReturn,
        DataLineFeed,
        Trailer,
        TrailerLineFeed,
        End,
    }

    /// <summary>Number of trailer lines.</summary>
    public int TrailerLines { get; private set; }

    /// <summary>The trailer lines, each ended by a line feed; complete once the body is.</summary>
    public ReadOnlySpan<byte> Trailers => _trailers.AsSpan(0, _trailersLength);

    /// <summary>Gets ready for the next body.</summary>
    public void Reset()
    {
        _state = State.Size;
        _remaining = 0;
        _digits = _extensions = _trailersLength = _lineStart = TrailerLines = 0;
        if (_trailers is not null)
        {
            ArrayPool<byte>.Shared.Return(_trailers);
            _trailers = null;
        }
    }

    /// <summary>Goes on until there is data, the end, or no more input.</summary>
    /// <param name="input">Bytes that were not consumed yet.</param>
    /// <param name="consumed">How many of them are done with, the data included.</param>
    /// <param name="data">The part of the input that belongs to the body; empty when there is none in front of what was consumed.</param>
    /// <returns><see cref="ParseStatus.NeedsMore"/> also when there is data: call again with the rest.</returns>
    public ParseStatus Read(ReadOnlySpan<byte> input, out int consumed, out ReadOnlySpan<byte> data)
    {
        data = default;
        for (consumed = 0; _state != State.End;)
        {
            if (consumed == input.Length)
            {
                return ParseStatus.NeedsMore;
            }

            if (_state == State.Data)
            {
                var length = (int)Math.Min(_remaining, input.Length - consumed);
                data = input.Slice(consumed, length);
                consumed += length;
                _remaining -= length;
                _state = _remaining == 0 ? State.DataReturn : State.Data;
                return ParseStatus.NeedsMore;
            }

            var status = Step(input[consumed++]);
            if (status != ParseStatus.NeedsMore)
            {
                return status;
            }
        }

        return ParseStatus.Complete;
    }

    private ParseStatus Step(byte next)
    {
        switch (_state)
        {
            case State.Size:
                return Size(next);
            case State.Extension:
                return Extension(next);
            case State.SizeLineFeed:
                return Expect(next, (byte)'\n', _remaining > 0 ? State.Data : State.Trailer);
            case State.DataReturn:
                return Expect(next, (byte)'\r', State.DataLineFeed);
            case State.DataLineFeed:
                // _remaining is 0 here: the next size begins from nothing.
                _digits = 0;
                return Expect(next, (byte)'\n', State.Size);
            case State.Trailer:
                return Trailer(next);
            default:
                return next == '\n' ? EndTrailerLine() : ParseStatus.Invalid;
        }
    }

    private ParseStatus Expect(byte next, byte expected, State then)
    {
        _state = then;
        return next == expected ? ParseStatus.NeedsMore : ParseStatus.Invalid;
    }

    private ParseStatus Size(byte next)
    {
        if (char.IsAsciiHexDigit((char)next))
        {
            _remaining = (_remaining << 4) + (char.IsAsciiDigit((char)next) ? next - '0' : (next | 0x20) - 'a' + 10);
            return ++_digits > MaxSizeDigits ? ParseStatus.TooLarge : ParseStatus.NeedsMore;
        }

        if (_digits == 0)
        {
            return ParseStatus.Invalid;
        }

        switch (next)
        {
            case (byte)'\r':
                _state = State.SizeLineFeed;
                return ParseStatus.NeedsMore;
            case (byte)';' or (byte)' ' or (byte)'\t':
                // Some backends pad the size with spaces.
                _state = State.Extension;
                return ParseStatus.NeedsMore;
            default:
                return ParseStatus.Invalid;
        }
    }

    private ParseStatus Extension(byte next)
    {
        if (next == '\r')
        {
            _state = State.SizeLineFeed;
            return ParseStatus.NeedsMore;
        }

        if (IsControl(next))
        {
            return ParseStatus.Invalid;
        }

        return ++_extensions > MaxExtensions ? ParseStatus.TooLarge : ParseStatus.NeedsMore;
    }

    private ParseStatus Trailer(byte next)
    {
        if (next == '\r')
        {
            _state = State.TrailerLineFeed;
            return ParseStatus.NeedsMore;
        }

        if (IsControl(next))
        {
            return ParseStatus.Invalid;
        }

        return Keep(next) ? ParseStatus.NeedsMore : ParseStatus.TooLarge;
    }

    private ParseStatus EndTrailerLine()
    {
        var line = _trailers.AsSpan(_lineStart, _trailersLength - _lineStart);
        if (line.IsEmpty)
        {
            _state = State.End;
            return ParseStatus.Complete;
        }

        if (!Http1ResponseParser.TrySplit(line, out _, out _))
        {
            return ParseStatus.Invalid;
        }

        if (TrailerLines == MaxTrailerLines || !Keep((byte)'\n'))
        {
            return ParseStatus.TooLarge;
        }

        TrailerLines++;
        _lineStart = _trailersLength;
        _state = State.Trailer;
        return ParseStatus.NeedsMore;
    }

    private bool Keep(byte next)
    {
        if (_trailersLength == MaxTrailers)
        {
            return false;
        }

        _trailers ??= ArrayPool<byte>.Shared.Rent(MaxTrailers);
        _trailers[_trailersLength++] = next;
        return true;
    }

    private static bool IsControl(byte value) => (value < ' ' && value != '\t') || value == 0x7f;
}
