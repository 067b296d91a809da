using System.Globalization;
using System.Text;

namespace Portcullis.Matching;

/// <summary>Characters, escapes and bracketed classes of an RE2 pattern.</summary>
internal sealed class Re2Escapes(string pattern)
{
    private static CodePointSet Digit => CodePointSet.Of(('0', '9'));

    private static CodePointSet Space => CodePointSet.Of(('\t', '\n'), ('\f', '\r'), (' ', ' '));

    private static CodePointSet Word => CodePointSet.Of(('0', '9'), ('A', 'Z'), ('a', 'z'), ('_', '_'));

    public int ReadCodePoint(ref int position)
    {
        if (!Rune.TryGetRuneAt(pattern, position, out var rune))
        {
            throw new Re2SyntaxException("the pattern has half of a surrogate pair");
        }

        position += rune.Utf16SequenceLength;
        return rune.Value;
    }

    /// <summary><c>\d \D \s \S \w \W \pN \p{Lu} \P{…}</c>, or <see langword="null"/> when another escape starts here.</summary>
    public CodePointSet? TryReadSet(ref int position, bool ignoreCase)
    {
        var c = pattern[position + 1];
        if (c is 'p' or 'P')
        {
            return ignoreCase ? throw Re2Translator.CannotFold() : ReadCategory(ref position);
        }

        var set = (c | 0x20) switch { 'd' => Digit, 's' => Space, 'w' => Word, _ => null };
        if (set is null || !char.IsAsciiLetter(c))
        {
            return null;
        }

        position += 2;
        return Complete(set, negated: char.IsAsciiLetterUpper(c), ignoreCase);
    }

    /// <summary>The character that an escape stands for, the position being on its backslash.</summary>
    public int ReadEscapedCodePoint(ref int position)
    {
        if (position + 1 >= pattern.Length)
        {
            throw new Re2SyntaxException("the pattern ends in a backslash");
        }

        var c = pattern[position + 1];
        switch (c)
        {
            case 'x':
                return ReadHexadecimal(ref position);
            case >= '1' and <= '7' when position + 2 >= pattern.Length || pattern[position + 2] is < '0' or > '7':
            case '8' or '9':
                throw new Re2SyntaxException("backreferences are not part of RE2");
            case >= '0' and <= '7':
                var value = 0;
                var end = position + 1;
                for (; end < pattern.Length && end < position + 4 && pattern[end] is >= '0' and <= '7'; end++)
                {
                    value = (value * 8) + pattern[end] - '0';
                }

                position = end;
                return value;
        }

        var simple = c switch { 'a' => 7, 'f' => 12, 't' => 9, 'n' => 10, 'r' => 13, 'v' => 11, _ => -1 };
        if (simple < 0 && (!char.IsAscii(c) || char.IsAsciiLetterOrDigit(c)))
        {
            throw new Re2SyntaxException(c == 'C' ? @"`\C` (one byte) has no meaning here" : $@"RE2 knows no escape `\{c}`");
        }

        position += 2;
        return simple < 0 ? c : simple;
    }

    /// <summary>A bracketed class, the position being on its <c>[</c>.</summary>
    public CodePointSet ReadClass(ref int position, bool ignoreCase)
    {
        var set = new CodePointSet();
        var at = position + 1;
        var negated = at < pattern.Length && pattern[at] == '^';
        at += negated ? 1 : 0;
        for (var first = true; at < pattern.Length && (first || pattern[at] != ']'); first = false)
        {
            if (pattern[at] == '[' && TryReadPosixClass(ref at, ignoreCase) is { } named)
            {
                set.Add(named);
            }
            else if (pattern[at] == '\\' && at + 1 < pattern.Length && TryReadSet(ref at, ignoreCase) is { } item)
            {
                set.Add(item);
            }
            else
            {
                AddRange(set, ref at, ignoreCase);
            }
        }

        if (at >= pattern.Length)
        {
            throw new Re2SyntaxException("missing `]`");
        }

        position = at + 1;
        return negated ? set.Negate() : set;
    }

    /// <summary>RE2 folds a named class before it negates it.</summary>
    private static CodePointSet Complete(CodePointSet set, bool negated, bool ignoreCase)
    {
        if (ignoreCase)
        {
            set.TryFold();
        }

        return negated ? set.Negate() : set;
    }

    private void AddRange(CodePointSet set, ref int at, bool ignoreCase)
    {
        var low = ReadClassMember(ref at);
        var high = low;
        if (at + 1 < pattern.Length && pattern[at] == '-' && pattern[at + 1] != ']')
        {
            at++;
            high = ReadClassMember(ref at);
        }

        if (high < low)
        {
            throw new Re2SyntaxException("a range in a class is out of order");
        }

        var range = CodePointSet.Of((low, high));
        if (ignoreCase && !range.TryFold())
        {
            throw Re2Translator.CannotFold();
        }

        set.Add(range);
    }

    private int ReadClassMember(ref int at) => pattern[at] == '\\' ? ReadEscapedCodePoint(ref at) : ReadCodePoint(ref at);

    private CodePointSet? TryReadPosixClass(ref int at, bool ignoreCase)
    {
        if (at + 1 >= pattern.Length || pattern[at + 1] != ':')
        {
            return null;
        }

        var end = pattern.IndexOf(":]", at + 2, StringComparison.Ordinal);
        if (end < 0)
        {
            return null;
        }

        var name = pattern[(at + 2)..end];
        var negated = name.StartsWith('^');
        var set = (negated ? name[1..] : name) switch
        {
            "alnum" => CodePointSet.Of(('0', '9'), ('A', 'Z'), ('a', 'z')),
            "alpha" => CodePointSet.Of(('A', 'Z'), ('a', 'z')),
            "ascii" => CodePointSet.Of((0, 0x7F)),
            "blank" => CodePointSet.Of(('\t', '\t'), (' ', ' ')),
            "cntrl" => CodePointSet.Of((0, 0x1F), (0x7F, 0x7F)),
            "digit" => Digit,
            "graph" => CodePointSet.Of(('!', '~')),
            "lower" => CodePointSet.Of(('a', 'z')),
            "print" => CodePointSet.Of((' ', '~')),
            "punct" => CodePointSet.Of(('!', '/'), (':', '@'), ('[', '`'), ('{', '~')),
            "space" => CodePointSet.Of(('\t', '\r'), (' ', ' ')),
            "upper" => CodePointSet.Of(('A', 'Z')),
            "word" => Word,
            "xdigit" => CodePointSet.Of(('0', '9'), ('A', 'F'), ('a', 'f')),
            _ => throw new Re2SyntaxException($"RE2 knows no class `[:{name}:]`"),
        };
        at = end + 2;
        return Complete(set, negated, ignoreCase);
    }

    private CodePointSet ReadCategory(ref int position)
    {
        var negated = pattern[position + 1] == 'P';
        var at = position + 2;
        string name;
        if (at < pattern.Length && pattern[at] == '{')
        {
            var end = pattern.IndexOf('}', at);
            name = end < 0 ? "" : pattern[(at + 1)..end];
            at = end + 1;
        }
        else
        {
            name = at < pattern.Length ? pattern[at].ToString() : "";
            at++;
        }

        if (name.StartsWith('^'))
        {
            negated = !negated;
            name = name[1..];
        }

        var set = CodePointSet.Category(name)
            ?? throw new Re2SyntaxException($@"`\p{{{name}}}` is not taken: only general categories such as `\pL` and `\p{{Lu}}` are");
        position = at;
        return negated ? set.Negate() : set;
    }

    private int ReadHexadecimal(ref int position)
    {
        var at = position + 2;
        var digits = ReadOnlySpan<char>.Empty;
        if (at < pattern.Length && pattern[at] == '{')
        {
            var end = pattern.IndexOf('}', at);
            digits = end < 0 ? digits : pattern.AsSpan(at + 1, end - at - 1);
            at = end + 1;
        }
        else if (at + 2 <= pattern.Length)
        {
            digits = pattern.AsSpan(at, 2);
            at += 2;
        }

        if (!int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) || !Rune.IsValid(value))
        {
            throw new Re2SyntaxException(@"`\x` must be followed by two hexadecimal digits or `{…}` with a valid code point");
        }

        position = at;
        return value;
    }
}

internal static class Re2Text
{
    /// <summary>Whether there is nothing but ASCII letters, digits and underscores.</summary>
    public static bool ContainsOnlyWordCharacters(this ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_')
            {
                return false;
            }
        }

        return true;
    }
}
