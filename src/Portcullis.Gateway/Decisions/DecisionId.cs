using System.Buffers;
using System.Security.Cryptography;

namespace Portcullis.Gateway.Decisions;

/// <summary>Names one decision: 80 random bits, so that who has one cannot tell another. It opens nothing by itself; only the admin API takes it.</summary>
internal static class DecisionId
{
    /// <summary>Response header of a refusal.</summary>
    public const string Header = "x-portcullis-decision-id";

    /// <summary>Characters of an id.</summary>
    public const int Length = 16;

    private const int RandomBytes = 10;

    /// <summary>Crockford's: no letter is taken for a digit.</summary>
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    private static readonly SearchValues<char> Characters = SearchValues.Create(Alphabet);

    public static string Create()
    {
        Span<byte> random = stackalloc byte[RandomBytes];
        RandomNumberGenerator.Fill(random);
        Span<char> id = stackalloc char[Length];
        ulong bits = 0;
        var (count, written) = (0, 0);
        foreach (var octet in random)
        {
            (bits, count) = ((bits << 8) | octet, count + 8);
            while (count >= 5)
            {
                count -= 5;
                id[written++] = Alphabet[(int)(bits >> count) & 31];
            }
        }

        return new string(id);
    }

    /// <summary>Whether a text could be an id.</summary>
    public static bool IsWellFormed(ReadOnlySpan<char> text) => text.Length == Length && !text.ContainsAnyExcept(Characters);
}
