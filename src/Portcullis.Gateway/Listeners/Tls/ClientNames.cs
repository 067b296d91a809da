using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using Portcullis.Matching;

namespace Portcullis.Gateway.Listeners.Tls;

/// <summary>The names in a certificate (RFC 5280 §4.2.1.6).</summary>
internal static class ClientNames
{
    private const string SubjectAlternativeName = "2.5.29.17";

    /// <summary>URI and DNS names, and the subject as RFC 2253 writes it.</summary>
    public static PeerCertificate Of(X509Certificate2 certificate)
    {
        var (uris, names) = (new List<string>(), new List<string>());
        foreach (var (kind, value) in AlternativeNames(certificate))
        {
            (kind == 6 ? uris : kind == 2 ? names : null)?.Add(value);
        }

        return new PeerCertificate(uris, names, Subject(certificate));
    }

    /// <summary>Whether any alternative name is one of the values, exactly.</summary>
    public static bool HasAny(X509Certificate2 certificate, IReadOnlyList<string> values) => AlternativeNames(certificate).Any(n => values.Contains(n.Value, StringComparer.Ordinal));

    private static string Subject(X509Certificate2 certificate) => certificate.SubjectName.Decode(X500DistinguishedNameFlags.Reversed | X500DistinguishedNameFlags.DoNotUseQuotes)
        .Replace(", ", ",", StringComparison.Ordinal);

    private static List<(int Kind, string Value)> AlternativeNames(X509Certificate2 certificate)
    {
        var found = new List<(int, string)>();
        if (certificate.Extensions[SubjectAlternativeName] is not { } extension)
        {
            return found;
        }

        try
        {
            var names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            while (names.HasData)
            {
                var tag = names.PeekTag();
                if (tag.TagClass == TagClass.ContextSpecific && tag.TagValue is 1 or 2 or 6)
                {
                    found.Add((tag.TagValue, names.ReadCharacterString(UniversalTagNumber.IA5String, tag)));
                }
                else if (tag.TagClass == TagClass.ContextSpecific && tag.TagValue == 7 && names.ReadOctetString(tag) is { Length: 4 or 16 } address)
                {
                    found.Add((7, new System.Net.IPAddress(address).ToString()));
                }
                else if (tag is not { TagClass: TagClass.ContextSpecific, TagValue: 7 })
                {
                    names.ReadEncodedValue();
                }
            }
        }
        catch (AsnContentException)
        {
            return []; // names that cannot be read identify nobody
        }

        return found;
    }
}
