using System.IO.Pipelines;

namespace Portcullis.Gateway.Listeners.ProxyProtocol;

/// <summary>Takes the PROXY header off the front of a connection and leaves everything behind it.</summary>
internal static class ProxyHeaderReader
{
    /// <summary>Reads the header.</summary>
    /// <returns><see langword="null"/> when there is none, it is malformed, or the client closed before its end.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async ValueTask<ProxyHeader?> ReadAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            var status = ProxyHeaderParser.Parse(read.Buffer, out var header, out var length);
            if (status == ProxyHeaderStatus.Complete)
            {
                input.AdvanceTo(read.Buffer.GetPosition(length));
                return header;
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (status == ProxyHeaderStatus.Malformed || read.IsCompleted || read.IsCanceled)
            {
                return null;
            }
        }
    }
}
