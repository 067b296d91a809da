using System.Net.Security;
using System.Runtime.CompilerServices;

namespace Portcullis.Gateway.Forwarding;

/// <summary>A TLS connection to a backend; an <see cref="SslStream"/>, as the HTTP client takes no other for one that is secure already.</summary>
internal sealed class SecureUpstreamConnection(Stream inner) : SslStream(inner)
{
    private AnswerWatch _answer;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read;
        try
        {
            read = await base.ReadAsync(buffer, cancellationToken);
        }
        catch (IOException e) when (_answer.IsAwaited && IsHttp1)
        {
            throw new UpstreamClosedException(e);
        }

        if (IsHttp1)
        {
            _answer.Read(buffer.Span, read);
        }

        return read;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _answer.Wrote();
        try
        {
            await base.WriteAsync(buffer, cancellationToken);
        }
        catch (IOException e) when (IsHttp1)
        {
            throw new UpstreamClosedException(e);
        }
    }

    private bool IsHttp1 => NegotiatedApplicationProtocol != SslApplicationProtocol.Http2;
}
