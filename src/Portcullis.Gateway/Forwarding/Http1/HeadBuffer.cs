using System.Buffers;
using System.Text;

namespace Portcullis.Gateway.Forwarding.Http1;

/// <summary>Bytes on their way to a backend, in one array of the shared pool. Grows up to <see cref="Limit"/>.</summary>
internal sealed class HeadBuffer
{
    /// <summary>Longest head, or piece of a body, in bytes.</summary>
    public const int Limit = 256 * 1024;

    private const int FirstSize = 2048;

    private byte[] _array = [];

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _array.AsSpan(0, Length);

    public ReadOnlyMemory<byte> WrittenMemory => _array.AsMemory(0, Length);

    /// <summary>Bytes that can be written without growing.</summary>
    public int Free => _array.Length - Length;

    /// <summary>Makes room.</summary>
    /// <returns><see langword="false"/> when that would pass the limit.</returns>
    public bool TryReserve(int count) => _array.Length - Length >= count || TryGrow(count);

    /// <summary>The room behind what is written. Only after <see cref="TryReserve"/>.</summary>
    public Span<byte> Tail => _array.AsSpan(Length);

    public Memory<byte> TailMemory => _array.AsMemory(Length);

    public void Advance(int count) => Length += count;

    /// <summary>Writes bytes for which room was reserved.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_array.AsSpan(Length));
        Length += bytes.Length;
    }

    /// <summary>Writes text as UTF-8, for which three bytes a character were reserved.</summary>
    public void WriteText(ReadOnlySpan<char> text)
    {
        if (Ascii.FromUtf16(text, Tail, out var written) != OperationStatus.Done)
        {
            written = Encoding.UTF8.GetBytes(text, Tail);
        }

        Length += written;
    }

    /// <summary>Forgets what was written, and keeps the array.</summary>
    public void Clear() => Length = 0;

    /// <summary>Gives the array back. Nobody may still send from it.</summary>
    public void Release()
    {
        if (_array.Length > 0)
        {
            // It held credentials.
            _array.AsSpan(0, Length).Clear();
            ArrayPool<byte>.Shared.Return(_array);
            _array = [];
        }

        Length = 0;
    }

    /// <summary>Forgets the array without giving it back: somebody may still be sending from it.</summary>
    public void Abandon() => (_array, Length) = ([], 0);

    private bool TryGrow(int count)
    {
        if (Length + count > Limit)
        {
            return false;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(FirstSize, Math.Max(Length + count, _array.Length * 2)));
        Written.CopyTo(larger);
        var length = Length;
        Release();
        (_array, Length) = (larger, length);
        return true;
    }
}
