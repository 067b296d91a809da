using System.Collections.Frozen;
using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Portcullis.Gateway.Listeners.Tls;

/// <summary>A certificate revocation list (RFC 5280 §5), read from PEM. .NET checks only lists that it fetches from the network itself.</summary>
internal sealed class RevocationList
{
    private readonly byte[] _signed;
    private readonly byte[] _signature;
    private readonly string _algorithm;
    private readonly byte[] _issuer;
    private readonly DateTimeOffset? _nextUpdate;
    private readonly FrozenSet<BigInteger> _revoked;

    private RevocationList(byte[] signed, byte[] signature, string algorithm, byte[] issuer, DateTimeOffset? nextUpdate, FrozenSet<BigInteger> revoked) =>
        (_signed, _signature, _algorithm, _issuer, _nextUpdate, _revoked) = (signed, signature, algorithm, issuer, nextUpdate, revoked);

    /// <summary>All lists of a PEM text.</summary>
    /// <exception cref="CryptographicException">There is none, or one is malformed.</exception>
    public static List<RevocationList> ReadPem(ReadOnlySpan<byte> pem)
    {
        var lists = new List<RevocationList>();
        var text = Encoding.ASCII.GetString(pem).AsSpan();
        while (PemEncoding.TryFind(text, out var fields))
        {
            if (text[fields.Label].SequenceEqual("X509 CRL"))
            {
                lists.Add(Read(Convert.FromBase64String(text[fields.Base64Data].ToString())));
            }

            text = text[fields.Location.End..];
        }

        return lists.Count > 0 ? lists : throw new CryptographicException("no `X509 CRL` in the PEM text");
    }

    /// <summary>Whether every certificate below the root has a list of its issuer that does not name it.</summary>
    public static bool Clear(IReadOnlyList<RevocationList> lists, X509Chain chain, DateTimeOffset now)
    {
        for (var i = 0; i < chain.ChainElements.Count - 1; i++)
        {
            var (certificate, issuer) = (chain.ChainElements[i].Certificate, chain.ChainElements[i + 1].Certificate);
            if (lists.FirstOrDefault(l => l.IsFrom(issuer, now)) is not { } list || list.Names(certificate))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether the list speaks for the issuer, is signed by it and is in time.</summary>
    public bool IsFrom(X509Certificate2 issuer, DateTimeOffset now) =>
        _issuer.AsSpan().SequenceEqual(issuer.SubjectName.RawData) && !(_nextUpdate < now) && IsSignedBy(issuer);

    /// <summary>Whether it names the certificate.</summary>
    public bool Names(X509Certificate2 certificate) =>
        _revoked.Contains(new BigInteger(certificate.SerialNumberBytes.Span, isUnsigned: false, isBigEndian: true));

    private bool IsSignedBy(X509Certificate2 issuer)
    {
        HashAlgorithmName? hash = _algorithm switch
        {
            "1.2.840.113549.1.1.11" or "1.2.840.10045.4.3.2" => HashAlgorithmName.SHA256,
            "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" => HashAlgorithmName.SHA384,
            "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" => HashAlgorithmName.SHA512,
            _ => null,
        };
        if (hash is not { } name)
        {
            return false;
        }

        if (_algorithm.StartsWith("1.2.840.10045", StringComparison.Ordinal))
        {
            using var ecdsa = issuer.GetECDsaPublicKey();
            return ecdsa?.VerifyData(_signed, _signature, name, DSASignatureFormat.Rfc3279DerSequence) == true;
        }

        using var rsa = issuer.GetRSAPublicKey();
        return rsa?.VerifyData(_signed, _signature, name, RSASignaturePadding.Pkcs1) == true;
    }

    private static RevocationList Read(byte[] der)
    {
        try
        {
            var list = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
            var signed = list.PeekEncodedValue().ToArray();
            var content = list.ReadSequence();
            var algorithm = list.ReadSequence().ReadObjectIdentifier();
            var signature = list.ReadBitString(out _);
            if (content.PeekTag().HasSameClassAndValue(Asn1Tag.Integer))
            {
                content.ReadInteger(); // version
            }

            content.ReadSequence(); // the algorithm again
            var issuer = content.ReadEncodedValue().ToArray();
            Time(content); // this update
            var nextUpdate = content.HasData && IsTime(content.PeekTag()) ? Time(content) : (DateTimeOffset?)null;
            var revoked = new HashSet<BigInteger>();
            if (content.HasData && content.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence))
            {
                var entries = content.ReadSequence();
                while (entries.HasData)
                {
                    revoked.Add(entries.ReadSequence().ReadInteger());
                }
            }

            return new(signed, signature, algorithm, issuer, nextUpdate, revoked.ToFrozenSet());
        }
        catch (AsnContentException e)
        {
            throw new CryptographicException("the revocation list is malformed", e);
        }
    }

    private static bool IsTime(Asn1Tag tag) => tag.HasSameClassAndValue(Asn1Tag.UtcTime) || tag.HasSameClassAndValue(Asn1Tag.GeneralizedTime);

    private static DateTimeOffset Time(AsnReader reader) =>
        reader.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();
}
