using System.Net;
using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Forwarding;

/// <summary>
/// Sends a response's head on as it comes. YARP sends it with the first bytes of the body, for which a client of an event stream or of a gRPC stream that waits for the
/// head would wait for ever.
/// </summary>
internal static class ResponseStart
{
    /// <summary>Waits for the body's first bytes or its end; when neither is there yet, the head goes ahead. So the two are still one write where they come together.</summary>
    public static async ValueTask WaitForBodyAsync(HttpResponse response, HttpResponseMessage backend, CancellationToken cancellationToken)
    {
        // An upgraded connection has no body: either side may speak first.
        if (backend.StatusCode == HttpStatusCode.SwitchingProtocols || backend.RequestMessage?.Method == HttpMethod.Connect)
        {
            return;
        }

        try
        {
            var body = await backend.Content.ReadAsStreamAsync(cancellationToken);
            // A read of no bytes ends when there is something to read, and takes nothing.
            var available = body.ReadAsync(Memory<byte>.Empty, cancellationToken);
            if (!available.IsCompleted)
            {
                await response.Body.FlushAsync(cancellationToken);
            }

            await available;
        }
        catch (Exception e)
        {
            // Copying the body tells the same failure, in its place: whoever reads on might take the end of a broken connection for that of the body.
            backend.Content.Dispose();
            backend.Content = new StreamContent(new FailedStream(e));
        }
    }

    /// <summary>A body that cannot be read.</summary>
    private sealed class FailedStream(Exception failure) : AsynchronousStream
    {
        public override bool CanRead => true;

        public override bool CanWrite => false;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromException<int>(failure);
    }
}
