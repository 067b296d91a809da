namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates a server's <c>tls</c> block (routing.md §1.3, §1.5).</summary>
internal static class ServerTlsReader
{
    private static readonly HashSet<string> Ciphers = new(StringComparer.Ordinal)
    {
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA",
        "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA", "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA", "DES-CBC3-SHA", "ALL",
    };

    public static ServerTlsSettings? Read(ObjectReader server, string protocol)
    {
        var tls = server.Object("tls", static r => ReadSettings(r));
        if (Protocols.IsTls(protocol) && tls is null)
        {
            server.At("tls").Error("server must have TLS settings for HTTPS/TLS protocols", "add tls with mode and credentialName", ProblemCodes.MissingField);
        }
        else if (Protocols.IsTls(protocol) && tls is { HttpsRedirect: true })
        {
            server.At("tls").Error("tls.httpsRedirect should only be used with http servers", "put it into the server of the plain port");
        }
        else if (Protocols.IsPlainHttp(protocol) && tls is { HttpsRedirect: false })
        {
            server.At("tls").Error("server cannot have TLS settings for plain text ports", "set protocol: HTTPS, or keep only httpsRedirect: true");
        }
        else if (!Protocols.IsTls(protocol) && !Protocols.IsPlainHttp(protocol) && tls is not null)
        {
            server.At("tls").Error("server cannot have TLS settings for non HTTPS/TLS ports", "set protocol: TLS, or remove tls");
        }

        return tls;
    }

    private static ServerTlsSettings ReadSettings(ObjectReader reader)
    {
        reader.Unsupported("insecureSkipVerify", "client certificates are always verified");
        var tls = new ServerTlsSettings
        {
            HttpsRedirect = reader.Boolean("httpsRedirect") ?? false,
            Mode = reader.Enumerated("mode", ServerTlsMode.Passthrough,
                ("PASSTHROUGH", ServerTlsMode.Passthrough), ("SIMPLE", ServerTlsMode.Simple), ("MUTUAL", ServerTlsMode.Mutual),
                ("AUTO_PASSTHROUGH", ServerTlsMode.AutoPassthrough), ("ISTIO_MUTUAL", ServerTlsMode.IstioMutual), ("OPTIONAL_MUTUAL", ServerTlsMode.OptionalMutual)),
            ServerCertificate = reader.Text("serverCertificate"),
            PrivateKey = reader.Text("privateKey"),
            CaCertificates = reader.Text("caCertificates"),
            CaCrl = reader.Text("caCrl"),
            CredentialName = reader.Text("credentialName"),
            CredentialNames = reader.Texts("credentialNames"),
            CaCertCredentialName = reader.Text("caCertCredentialName"),
            TlsCertificates = reader.List("tlsCertificates", static (r, _) => new TlsCertificateFiles
            {
                ServerCertificate = r.RequiredText("serverCertificate"),
                PrivateKey = r.RequiredText("privateKey"),
                CaCertificates = r.Text("caCertificates"),
            }),
            SubjectAltNames = reader.Texts("subjectAltNames"),
            VerifyCertificateSpki = reader.Texts("verifyCertificateSpki"),
            VerifyCertificateHash = reader.Texts("verifyCertificateHash"),
            MinProtocolVersion = Version(reader, "minProtocolVersion"),
            MaxProtocolVersion = Version(reader, "maxProtocolVersion"),
            CipherSuites = reader.Texts("cipherSuites", static (suite, place) =>
            {
                if (!Ciphers.Contains(suite) && suite.Length > 0 && char.IsAsciiLetterOrDigit(suite[0]))
                {
                    place.Warning($"the cipher suite `{suite}` is not known and is left out", "use OpenSSL's name of a TLS 1.2 suite");
                }
            }),
        };
        Check(reader, tls);
        return tls;
    }

    private static TlsProtocolVersion Version(ObjectReader reader, string name) => reader.Enumerated(name, TlsProtocolVersion.Auto,
        ("TLS_AUTO", TlsProtocolVersion.Auto), ("TLSV1_0", TlsProtocolVersion.Tls10), ("TLSV1_1", TlsProtocolVersion.Tls11),
        ("TLSV1_2", TlsProtocolVersion.Tls12), ("TLSV1_3", TlsProtocolVersion.Tls13));

    private static void Check(ObjectReader reader, ServerTlsSettings tls)
    {
        if (tls is { MinProtocolVersion: not TlsProtocolVersion.Auto, MaxProtocolVersion: not TlsProtocolVersion.Auto } && tls.MinProtocolVersion > tls.MaxProtocolVersion)
        {
            reader.At("minProtocolVersion").Error("minProtocolVersion is above maxProtocolVersion", "exchange the two");
        }

        if (tls.MinProtocolVersion is TlsProtocolVersion.Tls10 or TlsProtocolVersion.Tls11 && tls.CipherSuites.IsEmpty)
        {
            reader.At("minProtocolVersion").Error("TLS below 1.2 needs explicit cipherSuites", "list them, or raise minProtocolVersion to TLSV1_2");
        }

        if (tls.CredentialNames.Length > 2 || tls.TlsCertificates.Length > 2)
        {
            reader.At(tls.CredentialNames.Length > 2 ? "credentialNames" : "tlsCertificates").Error("must have at most 2 items", "one RSA and one ECDSA certificate");
        }

        CheckCredentials(reader, tls);
    }

    private static void CheckCredentials(ObjectReader reader, ServerTlsSettings tls)
    {
        var name = !string.IsNullOrEmpty(tls.CredentialName);
        if (name && !tls.CredentialNames.IsEmpty)
        {
            reader.At("credentialNames").Error("only one of credentialName or credentialNames can be set", "keep credentialNames");
        }
        else if (name && !tls.TlsCertificates.IsEmpty)
        {
            reader.At("tlsCertificates").Error("only one of credentialName or tlsCertificates can be set", "keep credentialName");
        }
        else if (!tls.CredentialNames.IsEmpty && !tls.TlsCertificates.IsEmpty)
        {
            reader.At("tlsCertificates").Error("only one of credentialNames or tlsCertificates can be set", "keep credentialNames");
        }

        var secrets = name || !tls.CredentialNames.IsEmpty;
        if (tls.Mode is ServerTlsMode.IstioMutual)
        {
            if (secrets || tls.ServerCertificate is not null || tls.PrivateKey is not null || tls.CaCertificates is not null)
            {
                reader.At("mode").Error("ISTIO_MUTUAL TLS cannot have associated certificate settings", "remove them, or use mode MUTUAL");
            }

            return;
        }

        if (tls.Mode is not (ServerTlsMode.Simple or ServerTlsMode.Mutual or ServerTlsMode.OptionalMutual) || secrets)
        {
            return;
        }

        var mode = tls.Mode is ServerTlsMode.Simple ? "SIMPLE" : tls.Mode is ServerTlsMode.Mutual ? "MUTUAL" : "OPTIONAL_MUTUAL";
        const string Remedy = "name a Secret with credentialName, or give serverCertificate and privateKey";
        if (tls.TlsCertificates.IsEmpty && string.IsNullOrEmpty(tls.ServerCertificate))
        {
            reader.At("mode").Error($"{mode} TLS requires a server certificate", Remedy, ProblemCodes.MissingField);
        }

        if (tls.TlsCertificates.IsEmpty && string.IsNullOrEmpty(tls.PrivateKey))
        {
            reader.At("mode").Error($"{mode} TLS requires a private key", Remedy, ProblemCodes.MissingField);
        }

        if (tls.Mode is not ServerTlsMode.Simple && string.IsNullOrEmpty(tls.CaCertificates) && string.IsNullOrEmpty(tls.CaCertCredentialName)
            && !tls.TlsCertificates.Any(c => !string.IsNullOrEmpty(c.CaCertificates)))
        {
            reader.At("mode").Error($"{mode} TLS requires a client CA bundle", "give caCertificates or caCertCredentialName", ProblemCodes.MissingField);
        }
    }
}
