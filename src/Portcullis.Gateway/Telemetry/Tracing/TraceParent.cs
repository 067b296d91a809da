using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Portcullis.Gateway.Telemetry.Tracing;

/// <summary>The <c>traceparent</c> header of W3C Trace Context.</summary>
/// <param name="TraceId">Of the whole trace.</param>
/// <param name="SpanId">Of the caller's span.</param>
/// <param name="Flags">Bit 0: sampled; bit 1: the trace id is random.</param>
internal readonly record struct TraceParent(ActivityTraceId TraceId, ActivitySpanId SpanId, byte Flags)
{
    private const int Length = 55;
    private const byte KnownFlags = 0b11;
    private const byte SampledFlag = 0b01;

    /// <summary>The caller records this trace.</summary>
    public bool IsSampled => (Flags & SampledFlag) != 0;

    /// <summary>Reads the header as the specification asks: one line, a version that may be newer than ours, no zero identifiers.</summary>
    public static bool TryParse(StringValues header, out TraceParent parent)
    {
        parent = default;
        if (header is not [{ Length: >= Length } text])
        {
            return false;
        }

        var value = text.AsSpan();
        var version = value[..2];
        if (value[2] != '-' || value[35] != '-' || value[52] != '-' || !IsLowerHex(version) || version is "ff"
            || (version is "00" ? value.Length != Length : value.Length > Length && value[Length] != '-'))
        {
            return false;
        }

        var trace = value.Slice(3, 32);
        var span = value.Slice(36, 16);
        var flags = value.Slice(53, 2);
        if (!IsIdentifier(trace) || !IsIdentifier(span) || !IsLowerHex(flags))
        {
            return false;
        }

        parent = new(
            ActivityTraceId.CreateFromString(trace), ActivitySpanId.CreateFromString(span), byte.Parse(flags, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
        return true;
    }

    /// <summary>A header of version 00; flags that it does not know are cleared.</summary>
    public override string ToString() => $"00-{TraceId.ToHexString()}-{SpanId.ToHexString()}-0{(char)('0' + (Flags & KnownFlags))}";

    /// <summary>The same trace with another sampling decision.</summary>
    public byte FlagsWith(bool sampled) => (byte)((Flags & ~SampledFlag) | (sampled ? SampledFlag : 0));

    private static bool IsIdentifier(ReadOnlySpan<char> text) => IsLowerHex(text) && text.ContainsAnyExcept('0');

    private static bool IsLowerHex(ReadOnlySpan<char> text)
    {
        foreach (var unit in text)
        {
            if (!char.IsAsciiHexDigitLower(unit))
            {
                return false;
            }
        }

        return true;
    }
}
