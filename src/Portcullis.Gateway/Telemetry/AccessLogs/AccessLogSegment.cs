using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Telemetry.AccessLogs;

/// <summary>A literal, or one operator of an access log format.</summary>
internal sealed class AccessLogSegment
{
    private readonly string? _literal;
    private readonly AccessLogOperator? _operator;
    private readonly int _maxLength;

    private AccessLogSegment(string? literal, AccessLogOperator? op, int maxLength) => (_literal, _operator, _maxLength) = (literal, op, maxLength);

    public static ImmutableArray<AccessLogSegment> Parse(string format)
    {
        var segments = ImmutableArray.CreateBuilder<AccessLogSegment>();
        var literal = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                literal.Append(format[i]);
                continue;
            }

            if (i + 1 < format.Length && format[i + 1] == '%')
            {
                literal.Append('%');
                i++;
                continue;
            }

            var end = EndOf(format, i + 1);
            if (end < 0)
            {
                throw new FormatException($"`%` at position {i + 1} of the access log format has no closing `%`; a literal percent sign is written `%%`");
            }

            if (literal.Length > 0)
            {
                segments.Add(new AccessLogSegment(literal.ToString(), null, int.MaxValue));
                literal.Clear();
            }

            try
            {
                segments.Add(ParseOperator(format[(i + 1)..end]));
            }
            catch (FormatException e)
            {
                throw new FormatException($"at character {i + 1} of the access log format: {e.Message}", e);
            }

            i = end;
        }

        if (literal.Length > 0)
        {
            segments.Add(new AccessLogSegment(literal.ToString(), null, int.MaxValue));
        }

        return segments.ToImmutable();
    }

    public void AppendText(GatewayContext context, StringBuilder line)
    {
        if (_operator is null)
        {
            line.Append(_literal);
            return;
        }

        var value = Truncated(context);
        if (string.IsNullOrEmpty(value))
        {
            line.Append('-');
            return;
        }

        foreach (var unit in value)
        {
            // One request is one line, whatever a client sends.
            _ = char.IsControl(unit) ? line.Append("\\x").Append(((int)unit).ToString("x2", CultureInfo.InvariantCulture)) : line.Append(unit);
        }
    }

    /// <summary>A number for a lone numeric operator, <c>null</c> for a lone absent one, a string otherwise.</summary>
    public static void AppendJson(ImmutableArray<AccessLogSegment> segments, GatewayContext context, StringBuilder line)
    {
        if (segments is [{ _operator: { } op } only])
        {
            var value = only.Truncated(context);
            if (string.IsNullOrEmpty(value))
            {
                line.Append("null");
            }
            else if (op.IsNumber)
            {
                line.Append(value);
            }
            else
            {
                line.Append('"').Append(JsonEncodedText.Encode(value).Value).Append('"');
            }

            return;
        }

        var text = new StringBuilder();
        foreach (var segment in segments)
        {
            segment.AppendText(context, text);
        }

        line.Append('"').Append(JsonEncodedText.Encode(text.ToString()).Value).Append('"');
    }

    /// <summary>The percent sign that ends an operator; those in its parentheses belong to its argument.</summary>
    private static int EndOf(string format, int start)
    {
        var end = format.IndexOf('%', start);
        var open = format.IndexOf('(', start);
        if (open < 0 || end < open)
        {
            return end;
        }

        var close = format.IndexOf(')', open);
        return close < 0 ? end : format.IndexOf('%', close);
    }

    private static AccessLogSegment ParseOperator(string text)
    {
        var maxLength = int.MaxValue;
        var colon = text.LastIndexOf(':');
        var close = text.LastIndexOf(')');
        if (colon > close && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            maxLength = length;
            text = text[..colon];
        }

        return new AccessLogSegment(null, AccessLogOperator.Parse(text), maxLength);
    }

    private string? Truncated(GatewayContext context)
    {
        var value = _operator!.Evaluate(context);
        return value is not null && value.Length > _maxLength ? value[.._maxLength] : value;
    }
}
