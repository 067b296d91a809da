using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Portcullis.Routing;

/// <summary>Supplies what Envoy's <c>%…%</c> commands stand for. A struct, so that nothing is boxed.</summary>
public interface IHeaderCommandSource
{
    /// <summary>The value of a command; <see langword="null"/> when there is none.</summary>
    string? Value(HeaderCommand command, string argument);
}

/// <summary>A header value with <c>%COMMAND(argument):length%</c> in it, parsed once. <c>%%</c> is a percent sign.</summary>
public sealed class HeaderTemplate
{
    private static readonly FrozenDictionary<string, HeaderCommand> Commands = Enum.GetValues<HeaderCommand>()
        .ToFrozenDictionary(c => c.EnvoyName, StringComparer.Ordinal);

    private readonly ImmutableArray<Part> _parts;

    private HeaderTemplate(ImmutableArray<Part> parts) => _parts = parts;

    /// <summary>The whole value when no command is in it; <see langword="null"/> otherwise.</summary>
    public string? Constant => _parts.IsEmpty ? "" : _parts is [{ Command: null } only] ? only.Text : null;

    internal static HeaderTemplate Empty { get; } = new([]);

    /// <summary>The value for a request.</summary>
    public string Render<TSource>(ref readonly TSource source) where TSource : struct, IHeaderCommandSource
    {
        if (Constant is { } constant)
        {
            return constant;
        }

        var result = new StringBuilder();
        foreach (var part in _parts)
        {
            if (part.Command is not { } command)
            {
                result.Append(part.Text);
                continue;
            }

            var value = source.Value(command, part.Text) ?? (part.Alternative is { } other ? source.Value(command, other) : null);
            result.Append(value.AsSpan(0, Math.Min(value?.Length ?? 0, part.MaxLength)));
        }

        return result.ToString();
    }

    /// <summary>Parses a value.</summary>
    /// <param name="text">As written in the resource.</param>
    /// <param name="template">The parsed value.</param>
    /// <param name="error">What is wrong with it.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out HeaderTemplate? template, [NotNullWhen(false)] out string? error)
    {
        template = null;
        if (text.AsSpan().ContainsAny('\r', '\n', '\0'))
        {
            error = "a header value cannot hold a line break";
            return false;
        }

        var parts = ImmutableArray.CreateBuilder<Part>();
        var literal = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                literal.Append(text[i]);
                continue;
            }

            if (i + 1 < text.Length && text[i + 1] == '%')
            {
                literal.Append('%');
                i++;
                continue;
            }

            var end = EndOfCommand(text, i + 1);
            if (end < 0)
            {
                error = "`%` starts a command that has no end; write a percent sign as `%%`";
                return false;
            }

            if (!TryCommand(text[(i + 1)..end], out var part, out error))
            {
                return false;
            }

            if (literal.Length > 0)
            {
                parts.Add(new(null, literal.ToString(), null, int.MaxValue));
                literal.Clear();
            }

            parts.Add(part);
            i = end;
        }

        if (literal.Length > 0)
        {
            parts.Add(new(null, literal.ToString(), null, int.MaxValue));
        }

        template = new(parts.ToImmutable());
        error = null;
        return true;
    }

    /// <summary>The closing percent sign; one inside parentheses (a time format) does not count.</summary>
    private static int EndOfCommand(string text, int start)
    {
        var open = text.AsSpan(start).IndexOfAny('(', '%');
        if (open < 0 || text[start + open] == '%')
        {
            return open < 0 ? -1 : start + open;
        }

        var close = text.IndexOf(')', start + open);
        return close < 0 ? -1 : text.IndexOf('%', close);
    }

    private static bool TryCommand(string text, [NotNullWhen(true)] out Part? part, [NotNullWhen(false)] out string? error)
    {
        part = null;
        var open = text.IndexOf('(', StringComparison.Ordinal);
        var close = text.LastIndexOf(')');
        var colon = text.IndexOf(':', Math.Max(close, 0));
        var argument = open < 0 ? "" : text[(open + 1)..close];
        var name = open >= 0 ? text[..open] : colon >= 0 ? text[..colon] : text;
        var rest = open >= 0 ? text[(close + 1)..] : text[name.Length..];
        var length = int.MaxValue;
        if (!Commands.TryGetValue(name, out var command))
        {
            error = $"`%{text}%` is not a command that the gateway knows; write a percent sign as `%%`";
            return false;
        }

        if (rest.Length > 0 && !(rest[0] == ':' && int.TryParse(rest.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out length)))
        {
            error = $"`%{text}%` must end in `:` and a number of characters, or in nothing";
            return false;
        }

        if (command is HeaderCommand.RequestHeader or HeaderCommand.ResponseHeader && argument.Length == 0)
        {
            error = $"`%{text}%` must name a header, for example `%{name}(x-request-id)%`";
            return false;
        }

        var question = command is HeaderCommand.RequestHeader or HeaderCommand.ResponseHeader ? argument.IndexOf('?', StringComparison.Ordinal) : -1;
        part = question < 0 ? new(command, argument, null, length) : new(command, argument[..question], argument[(question + 1)..], length);
        error = null;
        return true;
    }

    private sealed record Part(HeaderCommand? Command, string Text, string? Alternative, int MaxLength);
}
