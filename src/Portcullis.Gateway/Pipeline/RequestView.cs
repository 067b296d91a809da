using System.Net;
using Microsoft.Extensions.Primitives;
using Portcullis.Matching;

namespace Portcullis.Gateway.Pipeline;

/// <summary>The request as policies and routes see it.</summary>
internal readonly struct RequestView(GatewayContext context) : IRequestAttributes
{
    private readonly GatewayContext _context = context;

    public string Method => _context.Http.Request.Method;

    public string Scheme => _context.Scheme;

    public string Authority => _context.Authority;

    public string Path => _context.Path;

    public string? Query => _context.Query;

    public IPAddress? PeerAddress => _context.PeerAddress;

    public IPAddress? RemoteAddress => _context.RemoteAddress;

    public IPAddress? LocalAddress => ClientAddress.Unmap(_context.Http.Connection.LocalIpAddress);

    public int LocalPort => _context.Http.Connection.LocalPort;

    public PeerCertificate? PeerCertificate => _context.Downstream?.Peer;

    public string? ServerName => _context.Downstream?.ServerName;

    public ClaimSet? Claims => _context.Identity?.Claims;

    public HeaderValues GetHeader(string name)
    {
        if (name.StartsWith(':'))
        {
            return new HeaderValues(PseudoHeader(name));
        }

        StringValues values = _context.Http.Request.Headers[name];
        return values.Count switch
        {
            0 => default,
            1 => new HeaderValues(values[0] ?? ""),
            _ => new HeaderValues(Array.ConvertAll(values.ToArray(), static v => v ?? "")),
        };
    }

    private string? PseudoHeader(string name) => name switch
    {
        ":method" => Method,
        ":authority" => Authority,
        ":scheme" => Scheme,
        ":path" => Query is null ? Path : $"{Path}?{Query}",
        _ => null,
    };
}
