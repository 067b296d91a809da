using Microsoft.AspNetCore.Http;

namespace Portcullis.Gateway.Pipeline;

/// <summary>Counts the bytes that pass, for the access log; used only where no Content-Length tells.</summary>
internal sealed class CountingStream(Stream inner, BodyCounter counter) : AsynchronousStream
{
    public override bool CanRead => inner.CanRead;

    public override bool CanWrite => inner.CanWrite;

    public override void Flush() => inner.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = inner.Read(buffer, offset, count);
        counter.Count += read;
        return read;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            counter.Count += read;
            return read;
        }
        catch (BadHttpRequestException e)
        {
            counter.Refusal = e.StatusCode;
            throw;
        }
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        inner.Write(buffer, offset, count);
        counter.Count += count;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        counter.Count += buffer.Length;
        return inner.WriteAsync(buffer, cancellationToken);
    }
}

/// <summary>Bytes of one body.</summary>
internal sealed class BodyCounter
{
    public long Count { get; set; }

    /// <summary>Status with which the server refused to read on: too long (413), too slow (408) or malformed (400); 0 while it did not.</summary>
    public int Refusal { get; set; }
}
