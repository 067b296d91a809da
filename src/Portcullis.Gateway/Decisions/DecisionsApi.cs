using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Explanation;

namespace Portcullis.Gateway.Decisions;

/// <summary>
/// <c>/decisions</c> of the admin API: a page, one with its explanation, and a stream. Told to loopback only, whatever the port is bound to: they hold addresses,
/// subjects and claims.
/// </summary>
internal sealed class DecisionsApi(DecisionJournal? journal, LiveExplainer? explainer)
{
    private const string Off = "the gateway keeps no decisions: it was started with --decisions 0\n";

    /// <summary>Answers <c>/decisions…</c>.</summary>
    public Task HandleAsync(HttpContext context)
    {
        if (context.Connection.RemoteIpAddress is { } peer && !IPAddress.IsLoopback(peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer))
        {
            return TextAsync(context, StatusCodes.Status403Forbidden, "decisions are told to loopback only: ask on the gateway's own machine, or through `kubectl port-forward`\n");
        }

        if (journal is null || explainer is null)
        {
            return TextAsync(context, StatusCodes.Status404NotFound, Off);
        }

        // Not for a cache, nor for a page of another origin that asks the browser to embed it.
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["cross-origin-resource-policy"] = "same-origin";
        var path = context.Request.Path.Value!["/decisions".Length..];
        if (path is "" or "/" or "/stream")
        {
            if (!DecisionQuery.TryParse(context.Request.Query, out var query, out var error))
            {
                return TextAsync(context, StatusCodes.Status400BadRequest, error + "\n");
            }

            return path == "/stream" ? StreamAsync(context, journal, query) : ListAsync(context, journal, query);
        }

        var id = path[1..];
        return journal.Find(id) is { } record
            ? JsonAsync(context, explainer.Explain(record))
            : TextAsync(context, StatusCodes.Status404NotFound, NotKept(id, journal));
    }

    private static Task ListAsync(HttpContext context, DecisionJournal journal, DecisionQuery query)
    {
        var (page, next) = journal.Read(query);
        return JsonAsync(context, new DecisionPage([.. page.Select(DecisionSummary.Of)], next));
    }

    private static async Task StreamAsync(HttpContext context, DecisionJournal journal, DecisionQuery query)
    {
        using var tap = journal.Open(query);
        if (tap is null)
        {
            await TextAsync(context, StatusCodes.Status503ServiceUnavailable, string.Create(CultureInfo.InvariantCulture, $"{DecisionTap.MaxCount} listeners are the most; close one\n"));
            return;
        }

        await DecisionStream.SendAsync(context, tap);
    }

    /// <summary>Says why it is not there, and what to do.</summary>
    private static string NotKept(string id, DecisionJournal journal)
    {
        if (!DecisionId.IsWellFormed(id))
        {
            return $"no decision `{(id.Length > 40 ? id[..40] + "…" : id)}`: an id has {DecisionId.Length} letters and digits, as in the header {DecisionId.Header}\n";
        }

        var counts = journal.Counts();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"no decision `{id}`: it has made room for newer ones, is of another gateway, or of before this one's start; {counts.Refused} refused and {counts.Allowed} allowed ones are kept of the last {journal.Capacity} each, and of what passes at most {DecisionRecorder.AllowedPerSecond} a second. Send the request again and ask sooner, or start the gateway with a higher --decisions\n");
    }

    private static Task JsonAsync<T>(HttpContext context, T value)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(ExplanationJson.Serialize(value) + "\n", context.RequestAborted);
    }

    private static Task TextAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }
}
