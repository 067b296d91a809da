using System.Collections.Immutable;
using System.Diagnostics;
using Portcullis.Gateway.Pipeline;
using Portcullis.Policy.Explanation;
using Portcullis.Resources;

namespace Portcullis.Gateway.Decisions;

/// <summary>
/// Notes the decision of a complete request: every refusal, and of what passes as many a second as a reader can use. A request that passes and is not noted costs a
/// comparison.
/// </summary>
internal sealed class DecisionRecorder(DecisionJournal journal)
{
    /// <summary>Allowed decisions that are kept a second, the first ones.</summary>
    public const int AllowedPerSecond = 100;

    private const int MaxTarget = 2048;
    private const int MaxText = 512;
    private const int MaxHeaderBytes = 4096;
    private const int MaxHeaderLines = 48;
    private const int MaxClaimsBytes = 4096;

    private long _second;
    private int _taken;

    /// <summary>Where they are kept.</summary>
    public DecisionJournal Journal => journal;

    /// <summary>Notes it, if it is one and is to be kept.</summary>
    public void Record(GatewayContext context)
    {
        // A malformed request has no path and never came to a policy; a fault of the gateway is in its log.
        // Who leaves before a route is looked for has not waited for the verdict.
        if (context.Path.Length == 0 || context is { ClientAborted: true, IsRefused: false, Route: null } || context.ResponseDetails == LocalReply.InternalError)
        {
            return;
        }

        if (context.IsRefused || TakeAllowed(context.StartTimestamp))
        {
            journal.Add(Create(context), context.Snapshot);
        }
    }

    /// <summary>Two requests at the turn of a second may both turn it; then a few more are kept.</summary>
    private bool TakeAllowed(long timestamp)
    {
        var second = timestamp / Stopwatch.Frequency;
        if (Volatile.Read(ref _second) != second)
        {
            Volatile.Write(ref _second, second);
            Volatile.Write(ref _taken, 0);
        }

        return Volatile.Read(ref _taken) < AllowedPerSecond && Interlocked.Increment(ref _taken) <= AllowedPerSecond;
    }

    private static DecisionRecord Create(GatewayContext context)
    {
        var view = new RequestView(context);
        var fields = context.Snapshot.RecordedFields;
        var isCut = false;
        var headers = Headers(in view, fields, ref isCut);
        var target = fields.Target(Target(context));
        if (target.Length > MaxTarget)
        {
            (target, isCut) = (target[..MaxTarget], true);
        }

        var claims = context.Identity is { } identity ? fields.Record(identity.Claims, MaxClaimsBytes) : null;
        return new DecisionRecord
        {
            Id = context.DecisionId,
            Time = context.StartTime,
            Milliseconds = Math.Round(context.Elapsed.TotalMilliseconds, 3),
            Generation = context.Snapshot.Generation,
            Outcome = context.Decision.Outcome,
            TokenStatus = context.TokenStatus,
            TokenRule = (context.TokenRule ?? context.Identity?.Rule)?.ToString(),
            TokenNote = Note(context, in view),
            PolicyId = context.Decision.PolicyId,
            Status = context.ClientAborted ? 0 : context.Http.Response.StatusCode,
            Details = context.ResponseDetails is { } details ? Cut(details, ref isCut) : null,
            Method = Cut(view.Method, ref isCut),
            Scheme = view.Scheme,
            Authority = Cut(view.Authority, ref isCut),
            Target = target,
            Path = Cut(SecretRedaction.Target(view.Path), ref isCut, MaxTarget),
            Headers = headers,
            Claims = claims,
            Issuer = context.Identity?.Issuer is { } issuer ? Cut(issuer, ref isCut) : null,
            Subject = context.Identity?.Subject is { } subject ? Cut(subject, ref isCut) : null,
            Principal = Principal(context) is { } principal ? Cut(principal, ref isCut) : null,
            PeerAddress = view.PeerAddress,
            RemoteAddress = view.RemoteAddress,
            LocalAddress = view.LocalAddress,
            LocalPort = view.LocalPort,
            ListenerPort = context.Listener?.Port,
            PeerCertificate = view.PeerCertificate,
            ServerName = view.ServerName,
            Route = context.Route?.Name,
            Cluster = context.Cluster?.Name,
            IsCut = isCut || claims is { IsCut: true },
        };
    }

    /// <summary>Path as received, and the query as authentication left it.</summary>
    private static string Target(GatewayContext context)
    {
        var target = RequestPreparation.OriginForm(context.RawTarget);
        if (context.Edits is not { ReplacesQuery: true })
        {
            return target;
        }

        var end = target.AsSpan().IndexOfAny('?', '#');
        var path = end < 0 ? target : target[..end];
        return context.Query is null ? path : $"{path}?{context.Query}";
    }

    private static string? Principal(GatewayContext context) => context.Identity switch
    {
        { Issuer: { } issuer, Subject: { } subject } => $"{issuer}/{subject}",
        { Issuer: { } issuer } when context.Snapshot.Mesh.PrincipalWithoutSub == PrincipalWithoutSubMode.Accept => $"{issuer}/",
        _ => null,
    };

    private static string? Note(GatewayContext context, ref readonly RequestView view) =>
        context.TokenStatus is { } status && context.Snapshot.Authenticator is { } authenticator
            ? TokenRefusal.Describe(authenticator, in view, status, context.TokenRule, context.StartTime)
            : null;

    private static ImmutableArray<KeyValuePair<string, string>> Headers(ref readonly RequestView view, RecordedFields fields, ref bool isCut)
    {
        var kept = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        var bytes = 0;
        foreach (var name in fields.Headers)
        {
            var lines = view.GetHeader(name);
            for (var i = 0; i < lines.Count; i++)
            {
                // A piece of a token is no longer known for one: what is too long is not kept at all.
                var value = lines[i].Length > MaxHeaderBytes ? "" : fields.HeaderValue(name, lines[i]);
                bytes += name.Length + value.Length;
                if (lines[i].Length > MaxHeaderBytes || bytes > MaxHeaderBytes || kept.Count == MaxHeaderLines)
                {
                    isCut = true;
                    return kept.DrainToImmutable();
                }

                kept.Add(new(name, value));
            }
        }

        return kept.DrainToImmutable();
    }

    private static string Cut(string text, ref bool isCut, int length = MaxText)
    {
        if (text.Length <= length)
        {
            return text;
        }

        isCut = true;
        return text[..length];
    }
}
