namespace Portcullis.Policy.Authorization;

/// <summary>
/// What can be said of a clause while the token is left open. Ordered, so that "and" is the smaller of two and "or" the greater.
/// </summary>
internal enum Truth : byte
{
    /// <summary>No token satisfies it.</summary>
    False,

    /// <summary>It depends on the token.</summary>
    Unknown,

    /// <summary>Every token satisfies it.</summary>
    True,
}

internal static class TruthExtensions
{
    extension(Truth truth)
    {
        public static Truth Of(bool value) => value ? Truth.True : Truth.False;

        public Truth Negate() => Truth.True - (byte)truth;

        public Truth And(Truth other) => truth < other ? truth : other;

        public Truth Or(Truth other) => truth > other ? truth : other;
    }
}
