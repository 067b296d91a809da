using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Portcullis.Matching;

/// <summary>
/// Tests a claim: a string must match any of the values, of a list any element that is a string. Numbers, booleans, null, objects and absent claims never match.
/// </summary>
/// <param name="path">The claim.</param>
/// <param name="values">Any of them will do.</param>
public sealed class ClaimMatcher(ClaimPath path, params StringMatcher[] values)
{
    private const int StackLimit = 256;

    /// <summary>The claim that is tested.</summary>
    public ClaimPath Path => path;

    /// <summary>Whether the claim matches; without claims it does not.</summary>
    public bool IsMatch(ClaimSet? claims)
    {
        if (claims is null || !path.TryGet(claims, out var value, out var isSpaceDelimited))
        {
            return false;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            return value.ValueKind == JsonValueKind.String && IsMatch(value, isSpaceDelimited);
        }

        foreach (var element in value.EnumerateArray())
        {
            if (element.ValueKind == JsonValueKind.String && IsMatch(element, isSpaceDelimited: false))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether the claim would match if it were this string.</summary>
    public bool IsValueMatch(ReadOnlySpan<char> text) => StringMatcher.AnyMatch(values, text);

    private bool IsMatch(JsonElement text, bool isSpaceDelimited)
    {
        var raw = JsonMarshal.GetRawUtf8Value(text); // UTF-16 is never longer
        char[]? rented = null;
        var buffer = raw.Length <= StackLimit ? stackalloc char[StackLimit] : rented = ArrayPool<char>.Shared.Rent(raw.Length);
        try
        {
            var reader = new Utf8JsonReader(raw);
            reader.Read();
            var value = buffer[..reader.CopyString(buffer)];
            return isSpaceDelimited ? AnyPartMatches(value) : StringMatcher.AnyMatch(values, value);
        }
        catch (InvalidOperationException)
        {
            return false; // half of a surrogate pair: not a text, equal to nothing that a policy can say
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<char>.Shared.Return(rented, clearArray: true);
            }
        }
    }

    private bool AnyPartMatches(ReadOnlySpan<char> value)
    {
        if (value.IndexOfAnyExcept(' ') < 0)
        {
            return StringMatcher.AnyMatch(values, value); // nothing to split: stays the string it is
        }

        foreach (var range in value.Split(' '))
        {
            if (value[range] is { IsEmpty: false } part && StringMatcher.AnyMatch(values, part))
            {
                return true;
            }
        }

        return false;
    }
}
