using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>Bytes that were read already, and then the rest of the stream that they came from.</summary>
internal sealed class ReplayStream(ReadOnlyMemory<byte> read, Stream rest) : AsynchronousStream
{
    private ReadOnlyMemory<byte> _read = read;

    public override bool CanRead => true;

    public override bool CanWrite => false;

    public override int Read(byte[] buffer, int offset, int count) => Take(buffer.AsSpan(offset, count)) is > 0 and var taken ? taken : rest.Read(buffer, offset, count);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        // A read into nothing waits for data, and there is some.
        Take(buffer.Span) is var taken && (taken > 0 || (buffer.IsEmpty && !_read.IsEmpty)) ? new(taken) : rest.ReadAsync(buffer, cancellationToken);

    private int Take(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _read.Length);
        _read.Span[..count].CopyTo(buffer);
        _read = _read[count..];
        return count;
    }
}
