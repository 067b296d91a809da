namespace Portcullis.Matching;

/// <summary>
/// One value to compare text with: exact, beginning, end, a regular expression, or only that there is text. Immutable; comparing allocates nothing.
/// </summary>
/// <remarks>An absent attribute is never handed in: every test of it is false, and every "none of these" is true.</remarks>
public readonly struct StringMatcher
{
    private readonly string _text;
    private readonly SafeRegex? _regex;
    private readonly MatchKind _kind;
    private readonly bool _ignoreCase;

    private StringMatcher(MatchKind kind, string text, bool ignoreCase = false, SafeRegex? regex = null)
    {
        _kind = kind;
        _text = text;
        _ignoreCase = ignoreCase;
        _regex = regex;
    }

    private enum MatchKind : byte
    {
        Exact,
        Prefix,
        Suffix,
        NonEmpty,
        Any,
        Regex,
    }

    /// <summary>Any text, the empty one too: the attribute is there.</summary>
    public static StringMatcher Present { get; } = new(MatchKind.Any, "");

    /// <summary>Any text but the empty one.</summary>
    public static StringMatcher NonEmpty { get; } = new(MatchKind.NonEmpty, "");

    /// <summary>
    /// A value of a policy list for paths, claims, audiences, presenters and server names (Istio's string match): <c>*</c> any but empty, <c>*x</c> end,
    /// <c>x*</c> beginning, all else exact. The star at the start is looked at first, so <c>*x*</c> is the end <c>x*</c>.
    /// </summary>
    public static StringMatcher Policy(string pattern) => pattern == "*" ? NonEmpty : Wildcard(pattern, ignoreCase: false);

    /// <summary>As <see cref="Policy"/>, for headers and methods: <c>*</c> is satisfied by an empty value too.</summary>
    public static StringMatcher PolicyHeader(string pattern) => pattern == "*" ? Present : Wildcard(pattern, ignoreCase: false);

    /// <summary>As <see cref="PolicyHeader"/>, for hosts: ASCII letters are compared without case.</summary>
    public static StringMatcher PolicyHost(string pattern) => pattern == "*" ? Present : Wildcard(pattern, ignoreCase: true);

    /// <summary>The whole text.</summary>
    public static StringMatcher Exact(string text, bool ignoreAsciiCase = false) => new(MatchKind.Exact, text, ignoreAsciiCase);

    /// <summary>The beginning of the text.</summary>
    public static StringMatcher Prefix(string text, bool ignoreAsciiCase = false) => new(MatchKind.Prefix, text, ignoreAsciiCase);

    /// <summary>The end of the text.</summary>
    public static StringMatcher Suffix(string text, bool ignoreAsciiCase = false) => new(MatchKind.Suffix, text, ignoreAsciiCase);

    /// <summary>A regular expression, held against the whole text.</summary>
    public static StringMatcher Regex(SafeRegex regex) => new(MatchKind.Regex, regex.Pattern, regex: regex);

    /// <summary>Text that every match has at its beginning, at its end, or as a whole: what an index can find the matcher by.</summary>
    /// <param name="text">The text.</param>
    /// <param name="ignoresAsciiCase">Whether ASCII letters are compared without case.</param>
    /// <returns><see cref="LiteralPlace.None"/> when there is no such text.</returns>
    public LiteralPlace GetLiteral(out string text, out bool ignoresAsciiCase)
    {
        (text, ignoresAsciiCase) = (_text ?? "", _ignoreCase);
        return _kind switch
        {
            MatchKind.Exact => LiteralPlace.Whole,
            MatchKind.Prefix => LiteralPlace.Beginning,
            MatchKind.Suffix => LiteralPlace.End,
            _ => LiteralPlace.None,
        };
    }

    /// <summary>Tests a value that is there.</summary>
    public bool IsMatch(ReadOnlySpan<char> text) => _kind switch
    {
        MatchKind.Exact => text.Length == _text.Length && AreEqual(text),
        MatchKind.Prefix => text.Length >= _text.Length && AreEqual(text[.._text.Length]),
        MatchKind.Suffix => text.Length >= _text.Length && AreEqual(text[^_text.Length..]),
        MatchKind.NonEmpty => !text.IsEmpty,
        MatchKind.Any => true,
        _ => _regex!.IsMatch(text),
    };

    /// <summary>Whether any of the matchers accepts the value.</summary>
    public static bool AnyMatch(StringMatcher[] matchers, ReadOnlySpan<char> text)
    {
        foreach (ref readonly var matcher in matchers.AsSpan())
        {
            if (matcher.IsMatch(text))
            {
                return true;
            }
        }

        return false;
    }

    private static StringMatcher Wildcard(string pattern, bool ignoreCase) => pattern switch
    {
        ['*', .. var suffix] => new(MatchKind.Suffix, suffix, ignoreCase),
        [.. var prefix, '*'] => new(MatchKind.Prefix, prefix, ignoreCase),
        _ => new(MatchKind.Exact, pattern, ignoreCase),
    };

    private bool AreEqual(ReadOnlySpan<char> text)
    {
        if (!_ignoreCase)
        {
            return text.SequenceEqual(_text);
        }

        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != _text[i] && (!char.IsAsciiLetter(text[i]) || (text[i] | 0x20) != (_text[i] | 0x20)))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>Where a matcher's text stands in what it matches.</summary>
public enum LiteralPlace
{
    /// <summary>There is no such text.</summary>
    None,

    /// <summary>It is all of it.</summary>
    Whole,

    /// <summary>It is the beginning.</summary>
    Beginning,

    /// <summary>It is the end.</summary>
    End,
}
