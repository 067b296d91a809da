using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Portcullis.Matching;

/// <summary>
/// A regular expression in the RE2 dialect that Istio and Envoy take, run by .NET's linear-time engine. What .NET would read otherwise is translated; what
/// cannot be translated is refused with a reason. It always has to match the whole text.
/// </summary>
public sealed class SafeRegex
{
    /// <summary>Istio's bound on a pattern, in characters.</summary>
    public const int MaxLength = 1024;

    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    // .NET's \b knows letters of all scripts, RE2's only ASCII ones. A pattern with \b is held against text in which every other character is this
    // private-use one, no word character to .NET; such a pattern may not tell one non-ASCII character from another.
    private const char NonAscii = '\uE000';

    private readonly Regex _whole;
    private readonly string _translated;
    private readonly bool _foldsNonAscii;
    private Regex? _search;

    private SafeRegex(string pattern, string translated, int groups, bool foldsNonAscii)
    {
        Pattern = pattern;
        GroupCount = groups;
        _translated = translated;
        _foldsNonAscii = foldsNonAscii;
        _whole = new Regex($@"\A(?:{translated})\z", Options);
    }

    /// <summary>The pattern as its author wrote it.</summary>
    public string Pattern { get; }

    /// <summary>Number of capturing groups, the whole match not counted.</summary>
    public int GroupCount { get; }

    /// <summary>Compiles a pattern.</summary>
    /// <param name="pattern">RE2 syntax.</param>
    /// <param name="regex">The compiled pattern.</param>
    /// <param name="reason">Why it is refused; starts in lower case, no final stop.</param>
    public static bool TryCompile(string pattern, [NotNullWhen(true)] out SafeRegex? regex, [NotNullWhen(false)] out string? reason)
    {
        regex = null;
        if (pattern.Length > MaxLength)
        {
            reason = $"the regular expression is longer than {MaxLength} characters";
            return false;
        }

        var translator = new Re2Translator(pattern);
        if (!translator.TryTranslate(out var translated, out reason))
        {
            return false;
        }

        try
        {
            regex = new SafeRegex(pattern, translated, translator.GroupCount, translator.FoldsNonAscii);
            return true;
        }
        catch (NotSupportedException)
        {
            reason = "the regular expression is too large: shorten its repetitions";
            return false;
        }
        catch (ArgumentException e)
        {
            reason = $"the regular expression is not valid: {e.Message}";
            return false;
        }
    }

    /// <summary>Whether the pattern matches the whole text.</summary>
    public bool IsMatch(ReadOnlySpan<char> text)
    {
        if (!_foldsNonAscii || System.Text.Ascii.IsValid(text))
        {
            return _whole.IsMatch(text);
        }

        var buffer = ArrayPool<char>.Shared.Rent(text.Length);
        try
        {
            return _whole.IsMatch(buffer.AsSpan(0, Fold(text, buffer, [])));
        }
        finally
        {
            ArrayPool<char>.Shared.Return(buffer, clearArray: true);
        }
    }

    /// <summary>Finds the first match at or after a position, anywhere in the text.</summary>
    internal bool TryFind(string text, int start, Span<Range> groups)
    {
        var search = _search ??= new Regex(_translated, Options); // benign race: both threads build the same
        if (!_foldsNonAscii || System.Text.Ascii.IsValid(text))
        {
            return Copy(search.Match(text, start), groups, []);
        }

        var folded = new char[text.Length];
        var origins = new int[text.Length + 1];
        var length = Fold(text, folded, origins);
        return Copy(search.Match(new string(folded, 0, length), Array.IndexOf(origins, start, 0, length + 1)), groups, origins);
    }

    private static bool Copy(Match match, Span<Range> groups, ReadOnlySpan<int> origins)
    {
        for (var i = 0; match.Success && i < groups.Length; i++)
        {
            var (start, end) = match.Groups[i] is { Success: true } g ? (g.Index, g.Index + g.Length) : (0, 0);
            groups[i] = origins.IsEmpty ? start..end : origins[start]..origins[end];
        }

        return match.Success;
    }

    private static int Fold(ReadOnlySpan<char> text, Span<char> folded, Span<int> origins)
    {
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (!origins.IsEmpty)
            {
                origins[length] = i;
            }

            folded[length++] = char.IsAscii(text[i]) ? text[i] : NonAscii;
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                i++;
            }
        }

        if (!origins.IsEmpty)
        {
            origins[length] = text.Length;
        }

        return length;
    }
}
