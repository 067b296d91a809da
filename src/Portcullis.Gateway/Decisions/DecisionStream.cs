using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Explanation;

namespace Portcullis.Gateway.Decisions;

/// <summary>Decisions as server-sent events: <c>decision</c> with a summary, <c>dropped</c> with how many the listener was too slow for.</summary>
internal static class DecisionStream
{
    /// <summary>A comment keeps the connection open where nothing happens, and finds out when the listener has left.</summary>
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    public static async Task SendAsync(HttpContext context, DecisionTap tap)
    {
        var stop = context.RequestAborted;
        context.Response.ContentType = "text/event-stream";
        try
        {
            await WriteAsync(context, ": decisions from now on\n\n");
            while (!stop.IsCancellationRequested)
            {
                if (!await WaitAsync(tap, stop))
                {
                    await WriteAsync(context, ":\n\n");
                    continue;
                }

                await WriteAsync(context, Take(tap));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The listener has left, or the gateway stops.
        }
    }

    /// <summary>All that wait, so that a burst is one write.</summary>
    private static string Take(DecisionTap tap)
    {
        var events = new StringBuilder();
        for (var count = 0; count < DecisionTap.QueueLength && tap.Reader.TryRead(out var record); count++)
        {
            events.Append("event: decision\nid: ").Append(record.Id).Append("\ndata: ").Append(ExplanationJson.SerializeLine(DecisionSummary.Of(record))).Append("\n\n");
        }

        if (tap.TakeDropped() is > 0 and var dropped)
        {
            events.Append(CultureInfo.InvariantCulture, $"event: dropped\ndata: {{\"dropped\":{dropped}}}\n\n");
        }

        return events.ToString();
    }

    private static async Task<bool> WaitAsync(DecisionTap tap, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(KeepAlive);
        try
        {
            return await tap.Reader.WaitToReadAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
    }

    private static async Task WriteAsync(HttpContext context, string text)
    {
        await context.Response.WriteAsync(text, context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}
