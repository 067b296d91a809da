using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Authentication;
using Portcullis.Resources;

namespace Portcullis.Gateway.Listeners.Tls;

/// <summary>Versions and suites of a server in .NET's terms.</summary>
internal static class TlsCipherSuites
{
    private static readonly Dictionary<string, TlsCipherSuite> ByOpenSslName = new(StringComparer.Ordinal)
    {
        ["ECDHE-ECDSA-AES128-GCM-SHA256"] = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        ["ECDHE-RSA-AES128-GCM-SHA256"] = TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        ["ECDHE-ECDSA-AES256-GCM-SHA384"] = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        ["ECDHE-RSA-AES256-GCM-SHA384"] = TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        ["ECDHE-ECDSA-CHACHA20-POLY1305"] = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        ["ECDHE-RSA-CHACHA20-POLY1305"] = TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        ["ECDHE-ECDSA-AES128-SHA"] = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
        ["ECDHE-RSA-AES128-SHA"] = TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
        ["ECDHE-ECDSA-AES256-SHA"] = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
        ["ECDHE-RSA-AES256-SHA"] = TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
        ["AES128-GCM-SHA256"] = TlsCipherSuite.TLS_RSA_WITH_AES_128_GCM_SHA256,
        ["AES256-GCM-SHA384"] = TlsCipherSuite.TLS_RSA_WITH_AES_256_GCM_SHA384,
        ["AES128-SHA"] = TlsCipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA,
        ["AES256-SHA"] = TlsCipherSuite.TLS_RSA_WITH_AES_256_CBC_SHA,
        ["DES-CBC3-SHA"] = TlsCipherSuite.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
    };

    /// <summary>Istio's default: 1.2 to 1.3.</summary>
    public static SslProtocols Protocols(ServerTlsSettings settings)
    {
        var lowest = settings.MinProtocolVersion == TlsProtocolVersion.Auto ? TlsProtocolVersion.Tls12 : settings.MinProtocolVersion;
        var highest = settings.MaxProtocolVersion == TlsProtocolVersion.Auto ? TlsProtocolVersion.Tls13 : settings.MaxProtocolVersion;
        var protocols = SslProtocols.None;
        for (var version = lowest; version <= highest; version++)
        {
            protocols |= version switch
            {
#pragma warning disable CA5397, SYSLIB0039 // 1.0 and 1.1 only where the author asks for them, with suites of their own
                TlsProtocolVersion.Tls10 => SslProtocols.Tls,
                TlsProtocolVersion.Tls11 => SslProtocols.Tls11,
#pragma warning restore CA5397, SYSLIB0039
                TlsProtocolVersion.Tls12 => SslProtocols.Tls12,
                _ => SslProtocols.Tls13,
            };
        }

        return protocols;
    }

    /// <summary>The suites by OpenSSL's names; those of TLS 1.3 always stay, as in Envoy.</summary>
    /// <returns><see langword="null"/>: the system's choice.</returns>
    public static CipherSuitesPolicy? Policy(ImmutableArray<string> names)
    {
        var suites = names.Where(ByOpenSslName.ContainsKey).Select(n => ByOpenSslName[n]).Distinct().ToList();
        if (suites.Count == 0 || names.Contains("ALL") || !OperatingSystem.IsLinux())
        {
            return null;
        }

        suites.AddRange([TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256]);
        return new CipherSuitesPolicy(suites);
    }
}
