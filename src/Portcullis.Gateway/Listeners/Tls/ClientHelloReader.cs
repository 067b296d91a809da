using System.IO.Pipelines;

namespace Portcullis.Gateway.Listeners.Tls;

/// <summary>Looks at a connection's ClientHello and leaves every byte where it is, for who terminates TLS or the backend that does.</summary>
internal static class ClientHelloReader
{
    /// <summary>Waits for the whole message.</summary>
    /// <returns><see langword="null"/> when what comes is not one, is longer than <see cref="ClientHelloParser.MaxLength"/>, or ends too early.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async ValueTask<ClientHello?> PeekAsync(PipeReader input, CancellationToken cancellationToken)
    {
        var needed = 1;
        while (true)
        {
            var read = await input.ReadAtLeastAsync(needed, cancellationToken);
            var status = ClientHelloParser.Parse(read.Buffer, out var hello, out needed);
            if (status != ClientHelloStatus.Incomplete)
            {
                input.AdvanceTo(read.Buffer.Start); // not examined: it is read again
                return status == ClientHelloStatus.Complete ? hello : null;
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted || read.IsCanceled)
            {
                return null;
            }
        }
    }

    /// <summary>After a <see cref="PeekAsync"/> in vain: whether the client said something that is no TLS, rather than nothing or too little.</summary>
    public static bool SaysSomethingElse(PipeReader input)
    {
        if (!input.TryRead(out var read))
        {
            return false;
        }

        var status = ClientHelloParser.Parse(read.Buffer, out _, out _);
        input.AdvanceTo(read.Buffer.Start);
        return status == ClientHelloStatus.Malformed;
    }
}
