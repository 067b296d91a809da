using System.Numerics;

namespace Portcullis.Jose;

/// <summary>
/// Keys made by one family of chips (CVE-2017-15361, "ROCA") are products of primes k·M + 65537^a mod M, with M the product of the first
/// primes. So the modulus is a power of 65537 modulo each of those primes, which a sound key is with a chance of 2^-28.
/// </summary>
internal static class RocaFingerprint
{
    /// <summary>Primes modulo which few of the residues are powers of 65537.</summary>
    private static readonly int[] Primes =
        [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

    private static readonly bool[][] Powers = [.. Primes.Select(PowersModulo)];

    public static bool IsOn(ReadOnlySpan<byte> modulus)
    {
        var number = new BigInteger(modulus, isUnsigned: true, isBigEndian: true);
        for (var i = 0; i < Primes.Length; i++)
        {
            if (!Powers[i][(int)(number % Primes[i])])
            {
                return false;
            }
        }

        return true;
    }

    private static bool[] PowersModulo(int prime)
    {
        var powers = new bool[prime];
        for (var power = 1; !powers[power]; power = (int)((long)power * 65537 % prime))
        {
            powers[power] = true;
        }

        return powers;
    }
}
