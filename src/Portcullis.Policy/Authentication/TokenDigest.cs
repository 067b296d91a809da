using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Portcullis.Policy.Authentication;

/// <summary>SHA-256 of a whole token: stands for it in the cache, so that the cache's keys are no secrets and cannot be made to collide.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct TokenDigest
{
    private const int StackLimit = 2048;

    private readonly ulong _a;
    private readonly ulong _b;
    private readonly ulong _c;
    private readonly ulong _d;

    /// <returns><see langword="false"/> for text that cannot be a token, because it is not ASCII.</returns>
    public static bool TryCompute(ReadOnlySpan<char> token, out TokenDigest digest)
    {
        byte[]? rented = null;
        var ascii = token.Length <= StackLimit ? stackalloc byte[StackLimit] : rented = ArrayPool<byte>.Shared.Rent(token.Length);
        ascii = ascii[..token.Length];
        digest = default;
        try
        {
            if (Ascii.FromUtf16(token, ascii, out _) != OperationStatus.Done)
            {
                return false;
            }

            SHA256.HashData(ascii, MemoryMarshal.AsBytes(new Span<TokenDigest>(ref digest)));
            return true;
        }
        finally
        {
            ascii.Clear();
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    /// <summary>The digest's first bits; it is uniform already.</summary>
    public override int GetHashCode() => (int)_a;
}
