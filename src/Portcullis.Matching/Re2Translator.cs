using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Portcullis.Matching;

/// <summary>
/// Reads RE2 syntax (github.com/google/re2/wiki/Syntax) and writes what means the same to .NET: every character class as explicit ranges, every flag resolved.
/// </summary>
internal sealed class Re2Translator(string pattern)
{
    private const int MaxRepeat = 1000;
    private const int MaxNesting = 250;

    private readonly StringBuilder _output = new();
    private readonly Re2Escapes _escapes = new(pattern);
    private readonly List<CodePointSet> _sets = [];
    private int _position;
    private int _nesting;
    private bool _hasWordBoundary;
    private Flags _flags;

    [Flags]
    private enum Flags
    {
        None = 0,
        IgnoreCase = 1,
        MultiLine = 2,
        DotNewLine = 4,
        SwapGreedy = 8,
    }

    /// <summary>Capturing groups seen.</summary>
    public int GroupCount { get; private set; }

    /// <summary>Whether the text's non-ASCII characters must be written as one before matching.</summary>
    public bool FoldsNonAscii { get; private set; }

    public bool TryTranslate([NotNullWhen(true)] out string? translated, [NotNullWhen(false)] out string? reason)
    {
        try
        {
            Translate();
            if (_hasWordBoundary)
            {
                // The sets are only known now: write again, with all non-ASCII characters alike.
                if (!_sets.TrueForAll(s => s.TreatsNonAsciiAlike()))
                {
                    throw new Re2SyntaxException("`\\b` and `\\B` cannot be combined with a choice among non-ASCII characters");
                }

                FoldsNonAscii = true;
                Translate();
            }

            translated = _output.ToString();
            reason = null;
            return true;
        }
        catch (Re2SyntaxException e)
        {
            translated = null;
            reason = e.Message;
            return false;
        }
    }

    private void Translate()
    {
        _output.Clear();
        _position = GroupCount = _nesting = 0;
        _flags = Flags.None;
        ParseAlternatives();
        if (_position < pattern.Length)
        {
            throw new Re2SyntaxException("unexpected `)`");
        }
    }

    private void ParseAlternatives()
    {
        var repeatable = false;
        while (_position < pattern.Length && pattern[_position] != ')')
        {
            var start = _output.Length;
            switch (pattern[_position])
            {
                case '|':
                    _position++;
                    _output.Append('|');
                    repeatable = false;
                    continue;
                case '*' or '+' or '?':
                case '{' when TryReadRepeat(out _):
                    if (!repeatable)
                    {
                        throw new Re2SyntaxException($"nothing to repeat before `{pattern[_position]}`");
                    }

                    WriteRepeat();
                    repeatable = false;
                    continue;
                case '(':
                    repeatable = ParseGroup();
                    break;
                default:
                    ParseAtom();
                    repeatable = true;
                    break;
            }

            if (repeatable)
            {
                _output.Insert(start, "(?:").Append(')');
            }
        }
    }

    /// <returns>Whether there was a group, not just <c>(?flags)</c>.</returns>
    private bool ParseGroup()
    {
        if (++_nesting > MaxNesting)
        {
            throw new Re2SyntaxException("groups are nested too deeply");
        }

        _position++;
        var outer = _flags;
        var open = "(";
        if (_position < pattern.Length && pattern[_position] == '?')
        {
            _position++;
            if (!TryReadGroupName())
            {
                if (ReadFlags() == ')')
                {
                    _nesting--;
                    return false;
                }

                open = "(?:";
            }
        }

        GroupCount += open.Length == 1 ? 1 : 0;
        _output.Append(open);
        ParseAlternatives();
        if (_position == pattern.Length)
        {
            throw new Re2SyntaxException("missing `)`");
        }

        _position++;
        _output.Append(')');
        _flags = outer;
        _nesting--;
        return true;
    }

    private bool TryReadGroupName()
    {
        var rest = pattern.AsSpan(_position);
        if (rest.StartsWith("=") || rest.StartsWith("!") || rest.StartsWith("<=") || rest.StartsWith("<!"))
        {
            throw new Re2SyntaxException("lookahead and lookbehind are not part of RE2");
        }

        if (!rest.StartsWith("P<") && !rest.StartsWith("<"))
        {
            return false;
        }

        var start = _position + (rest[0] == 'P' ? 2 : 1);
        var end = pattern.IndexOf('>', start);
        if (end <= start || !pattern.AsSpan(start, end - start).ContainsOnlyWordCharacters())
        {
            throw new Re2SyntaxException("a group's name must be letters, digits and underscores, closed by `>`");
        }

        _position = end + 1;
        return true;
    }

    /// <returns>What ended the flags: <c>:</c> or <c>)</c>.</returns>
    private char ReadFlags()
    {
        var negative = false;
        var any = false;
        for (; _position < pattern.Length; _position++)
        {
            var c = pattern[_position];
            var flag = c switch
            {
                'i' => Flags.IgnoreCase,
                'm' => Flags.MultiLine,
                's' => Flags.DotNewLine,
                'U' => Flags.SwapGreedy,
                _ => Flags.None,
            };
            if (flag != Flags.None)
            {
                _flags = negative ? _flags & ~flag : _flags | flag;
                any = true;
            }
            else if (c == '-' && !negative)
            {
                negative = true;
                any = false;
            }
            else if (c is ':' or ')' && (any || !negative))
            {
                _position++;
                return c;
            }
            else
            {
                break;
            }
        }

        throw new Re2SyntaxException("after `(?` RE2 knows only `:`, `P<name>`, `<name>` and the flags `imsU`");
    }

    private bool TryReadRepeat(out (int End, int Minimum, int? Maximum) repeat)
    {
        repeat = default;
        var end = pattern.IndexOf('}', _position);
        if (end < 0)
        {
            return false;
        }

        var text = pattern.AsSpan(_position + 1, end - _position - 1);
        var comma = text.IndexOf(',');
        if (!TryReadCount(comma < 0 ? text : text[..comma], out var minimum))
        {
            return false;
        }

        int? maximum = minimum;
        if (comma >= 0)
        {
            maximum = null;
            if (comma + 1 < text.Length)
            {
                if (!TryReadCount(text[(comma + 1)..], out var count))
                {
                    return false;
                }

                maximum = count;
            }
        }

        if (minimum > MaxRepeat || maximum > MaxRepeat || maximum < minimum)
        {
            throw new Re2SyntaxException($"the repetition `{{{text}}}` is out of order or above {MaxRepeat}");
        }

        repeat = (end, minimum, maximum);
        return true;
    }

    private static bool TryReadCount(ReadOnlySpan<char> text, out int count) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && (text.Length == 1 || text[0] != '0');

    private void WriteRepeat()
    {
        if (pattern[_position] == '{' && TryReadRepeat(out var repeat))
        {
            _output.Append(CultureInfo.InvariantCulture, $"{{{repeat.Minimum}");
            _output.Append(repeat.Maximum == repeat.Minimum ? "" : string.Create(CultureInfo.InvariantCulture, $",{repeat.Maximum}")).Append('}');
            _position = repeat.End;
        }
        else
        {
            _output.Append(pattern[_position]);
        }

        _position++;
        var lazy = _position < pattern.Length && pattern[_position] == '?';
        _position += lazy ? 1 : 0;
        if (lazy != _flags.HasFlag(Flags.SwapGreedy))
        {
            _output.Append('?');
        }
    }

    private void ParseAtom()
    {
        switch (pattern[_position])
        {
            case '.':
                _position++;
                WriteSet(_flags.HasFlag(Flags.DotNewLine) ? CodePointSet.Of((0, 0x10FFFF)) : CodePointSet.Of(('\n', '\n')).Negate());
                break;
            case '^':
                _position++;
                _output.Append(_flags.HasFlag(Flags.MultiLine) ? "(?m:^)" : @"\A");
                break;
            case '$':
                _position++;
                _output.Append(_flags.HasFlag(Flags.MultiLine) ? "(?m:$)" : @"\z"); // .NET's $ would also stand before a final line feed
                break;
            case '[':
                WriteSet(_escapes.ReadClass(ref _position, _flags.HasFlag(Flags.IgnoreCase)));
                break;
            case '\\':
                ParseEscape();
                break;
            default:
                WriteLiteral(_escapes.ReadCodePoint(ref _position));
                break;
        }
    }

    private void ParseEscape()
    {
        if (_position + 1 == pattern.Length)
        {
            throw new Re2SyntaxException("the pattern ends in a backslash");
        }

        switch (pattern[_position + 1])
        {
            case 'b' or 'B':
                _hasWordBoundary = true;
                _output.Append(pattern, _position, 2);
                _position += 2;
                break;
            case 'A' or 'z':
                _output.Append(pattern, _position, 2);
                _position += 2;
                break;
            case 'Q':
                ParseQuoted();
                break;
            default:
                if (_escapes.TryReadSet(ref _position, _flags.HasFlag(Flags.IgnoreCase)) is { } set)
                {
                    WriteSet(set);
                }
                else
                {
                    WriteLiteral(_escapes.ReadEscapedCodePoint(ref _position));
                }

                break;
        }
    }

    /// <summary><c>\Q…\E</c>: each character stands for itself; a repetition after it would belong to the last one only.</summary>
    private void ParseQuoted()
    {
        var start = _position + 2;
        var end = pattern.IndexOf(@"\E", start, StringComparison.Ordinal);
        var stop = end < 0 ? pattern.Length : end;
        _position = start;
        while (_position < stop)
        {
            WriteLiteral(_escapes.ReadCodePoint(ref _position));
        }

        _position = end < 0 ? stop : end + 2;
        if (_position < pattern.Length && pattern[_position] is '*' or '+' or '?' or '{')
        {
            throw new Re2SyntaxException(@"a repetition right after `\Q…\E` is not taken: put the quoted text in a group");
        }
    }

    private void WriteLiteral(int codePoint)
    {
        var set = CodePointSet.Of((codePoint, codePoint));
        if (_flags.HasFlag(Flags.IgnoreCase) && (codePoint > 0x7F ? Rune.IsLetter(new Rune(codePoint)) : !set.TryFold()))
        {
            throw CannotFold();
        }

        WriteSet(set);
    }

    private void WriteSet(CodePointSet set)
    {
        _sets.Add(set);
        set.Write(_output, FoldsNonAscii);
    }

    internal static Re2SyntaxException CannotFold() =>
        new("without case only ASCII letters can be compared: RE2 and .NET fold other letters differently");
}

/// <summary>The pattern is not RE2, or cannot be expressed; the message says which.</summary>
internal sealed class Re2SyntaxException(string message) : Exception(message);
