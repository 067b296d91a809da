namespace Portcullis.Matching.Tests;

public sealed class SafeRegexTests
{
    [Theory]
    [InlineData("/api/v[0-9]+", "/api/v12", true)]
    [InlineData("/api", "/api/", false)] // the whole text
    [InlineData("a$", "a\n", false)] // .NET's `$` would stand before the line feed
    [InlineData("(?m)a$\\nb", "a\nb", true)]
    [InlineData("(?m)^a\\n^b$", "a\nb", true)]
    [InlineData("a.b", "a\nb", false)]
    [InlineData("(?s)a.b", "a\nb", true)]
    [InlineData("[^b]", "\n", true)]
    [InlineData(@"\d", "٣", false)] // ASCII digits only
    [InlineData(@"\d+", "0123456789", true)]
    [InlineData(@"\w", "é", false)]
    [InlineData(@"\w+", "aZ_9", true)]
    [InlineData(@"\W", "é", true)]
    [InlineData(@"\s", "\u00A0", false)]
    [InlineData(@"\s", "\v", false)] // RE2's \s has no vertical tab
    [InlineData(@"[[:space:]]", "\v", true)]
    [InlineData(@"\S+", "\u00A0x", true)]
    [InlineData(@"\D", "x", true)]
    [InlineData(@"[\D]", "5", false)]
    [InlineData(@"[\da-f]+", "12ab", true)]
    [InlineData("[[:alpha:]]+", "abC", true)]
    [InlineData("[[:^alpha:]]+", "12-", true)]
    [InlineData("[[:xdigit:]]{2}", "fF", true)]
    [InlineData("[[:word:]-]+", "a-b", true)]
    [InlineData("[]a]+", "]a", true)]
    [InlineData("[^]a]", "]", false)]
    [InlineData("[a-z-[aeiou]]", "b]", true)] // no class subtraction: `[` is a member, `]` follows
    [InlineData("[a-z-[aeiou]]", "b", false)]
    [InlineData("[a-]+", "a-", true)]
    [InlineData(@"[\]\\]+", @"]\", true)]
    [InlineData(@"\pN+", "5٣", true)]
    [InlineData(@"\p{Lu}", "É", true)]
    [InlineData(@"\P{Lu}", "É", false)]
    [InlineData(@"\p{^Lu}", "é", true)]
    [InlineData(@"[^\pL]", "1", true)]
    [InlineData(@"\pL", "𝔸", true)] // above U+FFFF
    [InlineData(@"\p{Any}", "😀", true)]
    [InlineData("^.$", "😀", true)] // one character, as RE2 counts
    [InlineData("[^a]", "😀", true)]
    [InlineData("[^a]{2}", "😀", false)]
    [InlineData("[😀-😂]", "😁", true)]
    [InlineData("😀+", "😀😀", true)]
    [InlineData(@"\x{1F600}", "😀", true)]
    [InlineData(@"\x41\102\x{43}", "ABC", true)]
    [InlineData(@"\0", "\0", true)]
    [InlineData(@"\a\f\t\n\r\v", "\a\f\t\n\r\v", true)]
    [InlineData(@"\Qa.b*\Ec", "a.b*c", true)]
    [InlineData(@"\Qa.b*\Ec", "axbc", false)]
    [InlineData(@"\Q.*", ".*", true)]
    [InlineData(@"\.\*\_\-\/", ".*_-/", true)]
    [InlineData(@"\Aab\z", "ab", true)]
    [InlineData("(?P<year>[0-9]{4})-(?<month>[0-9]{2})", "2026-01", true)]
    [InlineData("(?i)AbC", "aBc", true)]
    [InlineData("(?i)k", "\u212A", true)] // RE2 folds the KELVIN SIGN
    [InlineData("(?i)[r-t]", "\u017F", true)]
    [InlineData("(?i)[^k]", "K", false)]
    [InlineData("(?i)[[:lower:]]", "A", true)]
    [InlineData("(?i)i", "İ", false)] // no Turkish surprise
    [InlineData("(?i:a)b", "Ab", true)]
    [InlineData("(?i:a)b", "AB", false)]
    [InlineData("(?i)a(?-i)b", "AB", false)]
    [InlineData("((?i)a)b", "AB", false)] // flags end with their group
    [InlineData("(?U)a+", "aaa", true)]
    [InlineData("a{2,3}", "aaa", true)]
    [InlineData("a{2,}", "aaaa", true)]
    [InlineData("a{2}", "aaa", false)]
    [InlineData("a{,2}", "a{,2}", true)] // not a repetition in RE2
    [InlineData("{", "{", true)]
    [InlineData("a{x}", "a{x}", true)]
    [InlineData("a??b", "b", true)]
    [InlineData("|a", "", true)]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    [InlineData("(^a|b)*", "ab", true)]
    [InlineData(@"a\b-b", "a-b", true)]
    [InlineData(@"a\b.b", "aéb", true)] // RE2's boundary is ASCII: é is no word character
    [InlineData(@"a\B.b", "aéb", false)]
    [InlineData(@".*\bx\b.*", "é😀 x ü", true)]
    public void IsMatch_Dialect_IsRe2s(string pattern, string text, bool expected)
    {
        Assert.True(SafeRegex.TryCompile(pattern, out var regex, out var reason), reason);

        Assert.Equal(expected, regex.IsMatch(text));
    }

    [Theory]
    [InlineData("(?=a)", "lookahead and lookbehind")]
    [InlineData("(?!a)", "lookahead and lookbehind")]
    [InlineData("(?<=a)b", "lookahead and lookbehind")]
    [InlineData("(?<!a)b", "lookahead and lookbehind")]
    [InlineData(@"(a)\1", "backreferences")]
    [InlineData(@"\8", "backreferences")]
    [InlineData("(?>a)", "after `(?`")]
    [InlineData("(?x)a", "after `(?`")]
    [InlineData("(?#comment)", "after `(?`")]
    [InlineData("(?P=n)", "after `(?`")]
    [InlineData("(?P<>a)", "a group's name")]
    [InlineData("(?P<n-m>a)", "a group's name")]
    [InlineData(@"\C", "one byte")]
    [InlineData(@"\Z", "no escape")]
    [InlineData(@"\G", "no escape")]
    [InlineData(@"\R", "no escape")]
    [InlineData(@"\h", "no escape")]
    [InlineData(@"\u0041", "no escape")]
    [InlineData(@"\p{Greek}", "general categories")]
    [InlineData(@"\p{IsGreek}", "general categories")]
    [InlineData(@"\p{Cn}", "general categories")]
    [InlineData("[[:foo:]]", "no class")]
    [InlineData("[a", "missing `]`")]
    [InlineData("(a", "missing `)`")]
    [InlineData("a)", "unexpected `)`")]
    [InlineData("[b-a]", "out of order")]
    [InlineData("*a", "nothing to repeat")]
    [InlineData("a|*", "nothing to repeat")]
    [InlineData("a**", "nothing to repeat")]
    [InlineData("a++", "nothing to repeat")]
    [InlineData("a{1001}", "above 1000")]
    [InlineData("a{3,2}", "out of order")]
    [InlineData(@"a\", "ends in a backslash")]
    [InlineData(@"\x{110000}", @"`\x`")]
    [InlineData(@"\x4", @"`\x`")]
    [InlineData("(?i)é", "without case")]
    [InlineData(@"(?i)\pL", "without case")]
    [InlineData("(?i)[a-é]", "without case")]
    [InlineData(@"\bé", "cannot be combined")]
    [InlineData(@"\Qab\E+", "repetition right after")]
    [InlineData("((a{100}){100}){100}", "too large")]
    public void TryCompile_WhatNetReadsOtherwise_IsRefusedWithTheReason(string pattern, string reason)
    {
        Assert.False(SafeRegex.TryCompile(pattern, out var regex, out var actual));
        Assert.Null(regex);
        Assert.Contains(reason, actual, StringComparison.Ordinal);
    }

    [Fact]
    public void TryCompile_PatternPastTheBound_IsRefused()
    {
        Assert.True(SafeRegex.TryCompile(new string('a', SafeRegex.MaxLength), out _, out _));
        Assert.False(SafeRegex.TryCompile(new string('a', SafeRegex.MaxLength + 1), out _, out var reason));
        Assert.Contains("1024", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void TryCompile_DeepNesting_IsRefusedNotOverflowed()
    {
        Assert.False(SafeRegex.TryCompile(new string('(', 400) + new string(')', 400), out _, out var reason));
        Assert.Contains("nested", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void IsMatch_PatternThatExplodesWhenBacktracked_IsLinear()
    {
        Assert.True(SafeRegex.TryCompile("(a+)+b", out var regex, out _));

        Assert.False(regex.IsMatch(new string('a', 20_000)));
    }
}
