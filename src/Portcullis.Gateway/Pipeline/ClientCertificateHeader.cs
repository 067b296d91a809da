using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Portcullis.Gateway.Listeners;
using Portcullis.Matching;
using Portcullis.Resources;

namespace Portcullis.Gateway.Pipeline;

/// <summary>
/// <c>x-forwarded-client-cert</c>: who the client is by its certificate. What a client sends under this name is believed only where the mesh says
/// so (<c>gatewayTopology.forwardClientCertDetails</c>); a gateway's default is to remove it and to write its own.
/// </summary>
internal static class ClientCertificateHeader
{
    private const string Name = "x-forwarded-client-cert";

    /// <summary>Removes, keeps, sets or extends the header.</summary>
    /// <param name="headers">Of the request; what it came with is in <paramref name="received"/>.</param>
    /// <param name="received">The header as the client sent it.</param>
    /// <param name="connection"><see langword="null"/> for one without TLS.</param>
    /// <param name="mode">Envoy's <c>forward_client_cert_details</c>.</param>
    public static void Apply(IHeaderDictionary headers, StringValues received, DownstreamConnection? connection, ForwardClientCertDetails mode)
    {
        var element = connection?.ClientCertificateElement;
        StringValues value = mode switch
        {
            ForwardClientCertDetails.AlwaysForwardOnly => received,
            _ when element is null => default, // only a client that has shown a certificate may say anything
            ForwardClientCertDetails.Sanitize => default,
            ForwardClientCertDetails.ForwardOnly => received,
            ForwardClientCertDetails.AppendForward when received.Count > 0 => string.Join(',', (IEnumerable<string?>)received) + "," + element,
            _ => element,
        };
        if (value.Count > 0)
        {
            headers[Name] = value;
        }
        else
        {
            headers.Remove(Name);
        }
    }

    /// <summary>One element: <c>By</c>, <c>Hash</c>, <c>Cert</c>, <c>Subject</c>, <c>URI</c>, <c>DNS</c>, in Envoy's order.</summary>
    public static string Element(X509Certificate2 certificate, PeerCertificate names, IReadOnlyList<string> ownUris)
    {
        var text = new StringBuilder(2048);
        foreach (var uri in ownUris)
        {
            text.Append("By=").Append(uri).Append(';');
        }

        text.Append("Hash=").Append(Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span)));
        text.Append(";Cert=\"").Append(Uri.EscapeDataString(certificate.ExportCertificatePem() + "\n")).Append('"');
        text.Append(CultureInfo.InvariantCulture, $";Subject=\"{Quoted(names.Subject)}\"");
        foreach (var uri in names.UriNames)
        {
            text.Append(";URI=").Append(Value(uri));
        }

        foreach (var dns in names.DnsNames)
        {
            text.Append(";DNS=").Append(Value(dns));
        }

        return text.ToString();
    }

    /// <summary>A value that holds a separator is quoted: a name in a certificate must not add an element.</summary>
    private static string Value(string text) => text.AsSpan().ContainsAny(",;=\"") ? $"\"{Quoted(text)}\"" : Printable(text);

    private static string Quoted(string text) => Printable(text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal));

    /// <summary>Only printable ASCII is safe in a header.</summary>
    private static string Printable(string text) =>
        text.AsSpan().ContainsAnyExceptInRange(' ', '~') ? string.Concat(text.Select(static c => c is < ' ' or > '~' ? '?' : c)) : text;
}
