using System.Buffers;

namespace Portcullis.Resources.Reading;

/// <summary>Reads the keys of MeshConfig; Istio's keys that mean nothing to a single gateway are noted, unknown ones are errors.</summary>
internal static class MeshFieldsReader
{
    private static readonly SearchValues<char> DomainCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");

    private static readonly string[] NotUsed =
    [
        "proxyListenPort", "proxyInboundListenPort", "proxyHttpPort", "hboneIdleTimeout", "protocolDetectionTimeout",
        "ingressClass", "ingressService", "ingressControllerMode", "ingressSelector", "enableTracing", "enableEnvoyAccessLogService", "disableEnvoyListenerLog",
        "outboundTrafficPolicy", "inboundTrafficPolicy", "configSources", "enableAutoMtls", "caCertificates",
        "dnsRefreshRate", "inboundClusterStatName", "outboundClusterStatName", "certificates", "serviceSettings", "serviceScopeConfigs",
        "enablePrometheusMerge", "verifyCertificateAtClient", "ca", "discoverySelectors", "meshMTLS", "tlsDefaults", "serviceEntryVisibility",
    ];

    private static readonly string[] NotUsedOfProxy =
    [
        "configPath", "binaryPath", "serviceCluster", "tracingServiceName", "drainDuration", "discoveryAddress", "discoveryRefreshDelay", "zipkinAddress",
        "statsdUdpAddress", "envoyMetricsServiceAddress", "proxyAdminPort", "availabilityZone", "controlPlaneAuthPolicy", "customConfigFile", "statNameLength",
        "concurrency", "proxyBootstrapTemplatePath", "interceptionMode", "sds", "envoyAccessLogService", "envoyMetricsService", "proxyMetadata",
        "runtimeValues", "statusPort", "extraStatTags", "terminationDrainDuration", "meshId", "readinessProbe", "proxyStatsMatcher",
        "holdApplicationUntilProxyStarts", "caCertificatesPem", "image", "privateKeyProvider", "fileFlushInterval", "fileFlushMinSizeKb",
        "statsCompression", "connectionSettings",
    ];

    public static MeshConfig Read(ObjectReader reader)
    {
        foreach (var name in NotUsed)
        {
            Note(reader, name);
        }

        var proxy = reader.Object("defaultConfig", ReadProxy);
        var tracers = new List<OpenTelemetryProvider>();
        var providers = ExtensionProviderReader.Read(reader, tracers);
        return new MeshConfig
        {
            PathNormalization = reader.Object("pathNormalization", ReadNormalization)?.Mode ?? PathNormalizationMode.Default,
            RootNamespace = ReadNamespace(reader),
            TrustDomain = reader.Text("trustDomain") is { Length: > 0 } domain ? CheckDomain(domain, reader.At("trustDomain")) : MeshConfig.Default.TrustDomain,
            TrustDomainAliases = reader.Texts("trustDomainAliases", static (domain, place) => CheckDomain(domain, place)),
            AccessLogFile = reader.Text("accessLogFile") ?? "",
            AccessLogFormat = reader.Text("accessLogFormat") ?? "",
            AccessLogEncoding = reader.Enumerated("accessLogEncoding", AccessLogEncoding.Text, ("TEXT", AccessLogEncoding.Text), ("JSON", AccessLogEncoding.Json)),
            NumTrustedProxies = proxy?.NumTrustedProxies ?? 0,
            ProxyProtocol = proxy?.ProxyProtocol ?? false,
            ForwardClientCertDetails = proxy?.Details ?? ForwardClientCertDetails.SanitizeSet,
            ExtensionProviders = providers,
            Tracing = TracingReader.Read(reader, tracers, proxy?.Tracing),
            AuthorizationDenied = reader.Enumerated("authorizationDenied", AuthorizationDeniedMode.Challenge,
                ("Challenge", AuthorizationDeniedMode.Challenge), ("Forbidden", AuthorizationDeniedMode.Forbidden)),
            PrincipalWithoutSub = reader.Enumerated("principalWithoutSub", PrincipalWithoutSubMode.Accept,
                ("Accept", PrincipalWithoutSubMode.Accept), ("Reject", PrincipalWithoutSubMode.Reject)),
            DenyPathReadings = reader.Enumerated("denyPathReadings", DenyPathReadingsMode.All, ("All", DenyPathReadingsMode.All), ("Exact", DenyPathReadingsMode.Exact)),
            ServerHeader = ReadServerHeader(reader, proxy?.Server),
            ProxyHeaders = proxy?.Headers ?? ProxyHeaders.Default,
            Traffic = MeshTrafficReader.Read(reader),
            Locality = LocalityReader.Read(reader) ?? MeshConfig.Default.Locality,
        };
    }

    private static void Note(ObjectReader reader, string name)
    {
        if (reader.Has(name))
        {
            reader.At(name).Note("not used by the gateway");
        }

        reader.Accept(name);
    }

    private static Proxy ReadProxy(ObjectReader reader)
    {
        foreach (var name in NotUsedOfProxy)
        {
            Note(reader, name);
        }

        var tracing = reader.Object("tracing", TracingReader.ReadProxy);
        var headers = reader.Object("proxyHeaders", ProxyHeadersReader.ReadAll);
        var proxy = reader.Object("gatewayTopology", static topology =>
        {
            var details = topology.Enumerated("forwardClientCertDetails", ForwardClientCertDetails.SanitizeSet,
                ("UNDEFINED", ForwardClientCertDetails.SanitizeSet), ("SANITIZE", ForwardClientCertDetails.Sanitize),
                ("FORWARD_ONLY", ForwardClientCertDetails.ForwardOnly), ("APPEND_FORWARD", ForwardClientCertDetails.AppendForward),
                ("SANITIZE_SET", ForwardClientCertDetails.SanitizeSet), ("ALWAYS_FORWARD_ONLY", ForwardClientCertDetails.AlwaysForwardOnly));
            var protocol = topology.Object("proxyProtocol", static p => p) is not null;
            return new Proxy(topology.Integer("numTrustedProxies", 0, 1000) ?? 0, protocol, details, null);
        });
        return (proxy ?? new Proxy(0, false, ForwardClientCertDetails.SanitizeSet, null)) with { Tracing = tracing, Headers = headers?.Headers, Server = headers?.Server };
    }

    private static Normalization ReadNormalization(ObjectReader reader) => new(reader.Enumerated("normalization", PathNormalizationMode.Default,
        ("DEFAULT", PathNormalizationMode.Default), ("NONE", PathNormalizationMode.None), ("BASE", PathNormalizationMode.Base),
        ("MERGE_SLASHES", PathNormalizationMode.MergeSlashes), ("DECODE_AND_MERGE_SLASHES", PathNormalizationMode.DecodeAndMergeSlashes)));

    private static string? ReadNamespace(ObjectReader reader)
    {
        var ns = reader.Text("rootNamespace");
        if (!string.IsNullOrEmpty(ns) && !Names.IsLabel(ns))
        {
            reader.At("rootNamespace").Error($"`{ns}` is not a valid namespace", "use lower-case letters, digits and inner `-`");
        }

        return string.IsNullOrEmpty(ns) ? null : ns;
    }

    private static string CheckDomain(string domain, Place place)
    {
        if (domain.Length > 0 && !domain.AsSpan().ContainsAnyExcept(DomainCharacters))
        {
            return domain;
        }

        place.Error($"`{domain}` is not a trust domain", "write it like cluster.local");
        return "";
    }

    private static string ReadServerHeader(ObjectReader reader, string? ofProxy)
    {
        var value = reader.Text("serverHeader") ?? (string.IsNullOrEmpty(ofProxy) ? null : ofProxy) ?? MeshConfig.Default.ServerHeader;
        if (value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            reader.At("serverHeader").Error("a header value takes printable ASCII only", "write a short name");
        }

        return value;
    }

    private sealed record Proxy(int NumTrustedProxies, bool ProxyProtocol, ForwardClientCertDetails Details, MeshTracing? Tracing)
    {
        public ProxyHeaders? Headers { get; init; }

        public string? Server { get; init; }
    }

    private sealed record Normalization(PathNormalizationMode Mode);
}
