using System.IO.Pipelines;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Listeners.Tls;

/// <summary>A connection's pipes as the one stream that <see cref="System.Net.Security.SslStream"/> works on.</summary>
internal sealed class DuplexPipeStream(IDuplexPipe pipe) : AsynchronousStream
{
    private readonly Stream _input = pipe.Input.AsStream(leaveOpen: true);
    private readonly Stream _output = pipe.Output.AsStream(leaveOpen: true);

    /// <summary>
    /// What was waited for goes on on the pool. While hands are shaken, for signing and the verification of certificates would hold a thread up that polls sockets.
    /// </summary>
    public bool GoesOnOnPool { get; set; }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        GoesOnOnPool ? ReadOnPoolAsync(buffer, cancellationToken) : _input.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _output.WriteAsync(buffer, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => _output.FlushAsync(cancellationToken);

    public override void Flush() => throw new NotSupportedException("only asynchronous");

    private async ValueTask<int> ReadOnPoolAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var read = await _input.ReadAsync(buffer, cancellationToken);
        if (!Thread.CurrentThread.IsThreadPoolThread)
        {
            await new PoolThread();
        }

        return read;
    }
}
