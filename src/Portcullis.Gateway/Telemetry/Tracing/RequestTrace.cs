using System.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Portcullis.Gateway.Telemetry.Tracing;

/// <summary>The trace that a request belongs to, and its span here. A request that is not sampled has one too: the backend must learn that decision.</summary>
internal sealed class RequestTrace
{
    private readonly TraceParent _own;
    private readonly bool _continues;

    /// <param name="tracer">Who ends the span.</param>
    /// <param name="own">This request's span.</param>
    /// <param name="continues">A caller began the trace.</param>
    /// <param name="span">Recorded span; <see langword="null"/> when the request is not sampled.</param>
    public RequestTrace(Tracer tracer, TraceParent own, bool continues, Activity? span) => (Tracer, _own, _continues, Span) = (tracer, own, continues, span);

    /// <summary>Who ends the span.</summary>
    public Tracer Tracer { get; }

    /// <summary>Recorded span; <see langword="null"/> when the request is not sampled.</summary>
    public Activity? Span { get; }

    /// <summary>32 hexadecimal digits.</summary>
    public string TraceId => _own.TraceId.ToHexString();

    /// <summary>
    /// Tells the backend, with this request's span as its parent, as Envoy does where it makes no span for the upstream request. The caller's
    /// <c>tracestate</c> goes on with a trace that goes on; other propagation headers (B3) are not touched.
    /// </summary>
    public void Inject(IHeaderDictionary headers)
    {
        headers.TraceParent = _own.ToString();
        if (!_continues)
        {
            headers.TraceState = default;
        }
    }

    /// <summary>Puts the decision into the request's UUID where Envoy puts it, at index 14: <c>9</c> sampled, <c>4</c> not.</summary>
    public string Mark(string requestId) => Span is null ? requestId : string.Create(requestId.Length, requestId, static (text, id) =>
    {
        const int Place = 14;
        id.CopyTo(text);
        text[Place] = '9';
    });
}
