namespace Portcullis.Fuzz;

/// <summary>Something that reads bytes a stranger may choose.</summary>
public abstract class FuzzTarget
{
    /// <summary>Also the name of its folder in a corpus.</summary>
    public abstract string Name { get; }

    /// <summary>Good inputs, from which all others are made.</summary>
    public abstract IReadOnlyList<byte[]> Seeds { get; }

    /// <summary>How an input of this kind is spoilt.</summary>
    public abstract byte[] Mutate(Mutator mutator, byte[] input);

    /// <summary>Reads an input. Throws <see cref="FuzzViolationException"/> for a broken promise; whatever else it throws is a finding too.</summary>
    /// <returns>What came of it, coarsely: an input with a new outcome is worth keeping.</returns>
    public abstract string Run(byte[] input);

    /// <summary>What reads tokens and keys, and nothing else; their corpora are kept with the tests of Portcullis.Jose.</summary>
    public static IReadOnlyList<FuzzTarget> All()
    {
        var tokens = new SignedTokens();
        return [new TokenTarget(tokens), new HeaderTarget(tokens), new ClaimsTarget(tokens), new KeySetTarget(tokens), new PemTarget(tokens)];
    }
}

/// <summary>A promise that an input broke.</summary>
public sealed class FuzzViolationException(string message) : Exception(message);
