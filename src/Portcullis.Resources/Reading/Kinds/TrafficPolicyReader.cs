namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates <c>trafficPolicy</c>, also of a subset and of a port (routing.md §4.2–§4.6).</summary>
internal static class TrafficPolicyReader
{
    public static TrafficPolicy Read(ObjectReader reader)
    {
        reader.Unsupported("tunnel", "connections are made directly");
        reader.Unsupported("proxyProtocol", "no PROXY header is sent");
        return ReadPart(reader) with
        {
            RetryBudget = reader.Object("retryBudget", ReadBudget),
            PortLevelSettings = reader.List("portLevelSettings", static (r, _) => ReadPort(r)),
        };
    }

    private static TrafficPolicy ReadPart(ObjectReader reader)
    {
        var policy = new TrafficPolicy
        {
            LoadBalancer = reader.Object("loadBalancer", LoadBalancerReader.Read),
            ConnectionPool = reader.Object("connectionPool", ReadPool),
            OutlierDetection = reader.Object("outlierDetection", ReadOutliers),
            Tls = reader.Object("tls", ReadTls),
        };
        if (policy is { OutlierDetection: null, LoadBalancer.Locality: { } locality } && (!locality.Failover.IsEmpty || !locality.FailoverPriority.IsEmpty))
        {
            reader.At("loadBalancer").Warning("outlier detection policy must be provided for failover", "add outlierDetection, or nothing ever fails over", ProblemCodes.MissingField);
        }

        return policy;
    }

    private static RetryBudget ReadBudget(ObjectReader reader)
    {
        if (reader.Has("budgetInterval"))
        {
            reader.At("budgetInterval").Note("the budget is of the requests that are in flight at the moment");
        }

        reader.Duration("budgetInterval");
        return new(reader.Number("percent", 0, 100) ?? 20, reader.Integer("minRetryConcurrency", 0, int.MaxValue) is > 0 and var least ? least : 3);
    }

    private static PortTrafficPolicy ReadPort(ObjectReader reader)
    {
        var port = reader.Object("port", static r => new Port(r.Integer("number", 1, 65535)), required: true);
        if (port is { Number: null })
        {
            reader.At("port").Error("`port.number` is required", "name the Service's port", ProblemCodes.MissingField);
        }

        return new(port?.Number ?? 0, ReadPart(reader));
    }

    public static ConnectionPoolSettings ReadPool(ObjectReader reader)
    {
        var pool = new ConnectionPoolSettings();
        pool = reader.Object("tcp", r =>
        {
            return pool with
            {
                TcpKeepalive = r.Object("tcpKeepalive", ReadKeepalive),
                MaxConnections = r.Integer("maxConnections", 0, int.MaxValue),
                ConnectTimeout = r.Duration("connectTimeout"),
                MaxConnectionDuration = r.Duration("maxConnectionDuration"),
                TcpIdleTimeout = r.Duration("idleTimeout", allowsZero: true),
            };
        }) ?? pool;
        return reader.Object("http", r =>
        {
            var ping = r.Object("http2KeepAlive", static k => new Ping(k.Duration("interval"), k.Duration("timeout")));
            return pool with
            {
                Http2KeepAliveInterval = ping?.Interval,
                Http2KeepAliveTimeout = ping?.Timeout,
                Http1MaxPendingRequests = r.Integer("http1MaxPendingRequests", 0, int.MaxValue),
                Http2MaxRequests = r.Integer("http2MaxRequests", 0, int.MaxValue),
                MaxRequestsPerConnection = r.Integer("maxRequestsPerConnection", 0, int.MaxValue),
                MaxRetries = r.Integer("maxRetries", 0, int.MaxValue),
                HttpIdleTimeout = r.Duration("idleTimeout"),
                H2UpgradePolicy = r.Enumerated<string?>("h2UpgradePolicy", null, ("DEFAULT", "DEFAULT"), ("DO_NOT_UPGRADE", "DO_NOT_UPGRADE"), ("UPGRADE", "UPGRADE")),
                UseClientProtocol = r.Boolean("useClientProtocol") ?? false,
                MaxConcurrentStreams = r.Integer("maxConcurrentStreams", 0, int.MaxValue),
            };
        }) ?? pool;
    }

    public static TcpKeepalive ReadKeepalive(ObjectReader reader) => new(reader.Integer("probes", 0, int.MaxValue), reader.Duration("time"), reader.Duration("interval"));

    public static OutlierDetection ReadOutliers(ObjectReader reader)
    {
        var legacy = reader.Integer("consecutiveErrors", 0, int.MaxValue);
        return new OutlierDetection
        {
            Consecutive5xxErrors = reader.Integer("consecutive5xxErrors", 0, int.MaxValue) ?? legacy,
            ConsecutiveGatewayErrors = reader.Integer("consecutiveGatewayErrors", 0, int.MaxValue),
            ConsecutiveLocalOriginFailures = reader.Integer("consecutiveLocalOriginFailures", 0, int.MaxValue),
            SplitExternalLocalOriginErrors = reader.Boolean("splitExternalLocalOriginErrors") ?? false,
            Interval = reader.Duration("interval"),
            BaseEjectionTime = reader.Duration("baseEjectionTime"),
            MaxEjectionPercent = reader.Integer("maxEjectionPercent", 0, 100),
            MinHealthPercent = reader.Integer("minHealthPercent", 0, 100),
            HttpErrorCodes = reader.Integers("outlierDetectionHttpErrorCodes", 100, 599),
        };
    }

    private static ClientTlsSettings ReadTls(ObjectReader reader)
    {
        var tls = new ClientTlsSettings
        {
            Mode = reader.Enumerated("mode", ClientTlsMode.Disable,
                ("DISABLE", ClientTlsMode.Disable), ("SIMPLE", ClientTlsMode.Simple), ("MUTUAL", ClientTlsMode.Mutual), ("ISTIO_MUTUAL", ClientTlsMode.IstioMutual)),
            ClientCertificate = reader.Text("clientCertificate"),
            PrivateKey = reader.Text("privateKey"),
            CaCertificates = reader.Text("caCertificates"),
            CaCrl = reader.Text("caCrl"),
            CredentialName = reader.Text("credentialName"),
            SubjectAltNames = reader.Texts("subjectAltNames"),
            Sni = reader.Text("sni"),
            InsecureSkipVerify = reader.Boolean("insecureSkipVerify") ?? false,
        };
        if (tls.Mode is ClientTlsMode.Mutual && string.IsNullOrEmpty(tls.CredentialName))
        {
            if (string.IsNullOrEmpty(tls.ClientCertificate))
            {
                reader.At("mode").Error("client certificate required for mutual tls", "give clientCertificate or credentialName", ProblemCodes.MissingField);
            }

            if (string.IsNullOrEmpty(tls.PrivateKey))
            {
                reader.At("mode").Error("private key required for mutual tls", "give privateKey or credentialName", ProblemCodes.MissingField);
            }
        }

        if (!string.IsNullOrEmpty(tls.CredentialName) && (tls.ClientCertificate ?? tls.PrivateKey ?? tls.CaCertificates) is not null)
        {
            reader.At("credentialName").Error("cannot specify client certificates or CA certificate when credentialName is set", "keep credentialName or the files");
        }

        if (tls is { InsecureSkipVerify: true } && (tls.CaCertificates is not null || !tls.SubjectAltNames.IsEmpty))
        {
            reader.At("insecureSkipVerify").Error("cannot specify CA certificates or SANs when insecureSkipVerify is set to true", "remove insecureSkipVerify");
        }

        return tls;
    }

    private sealed record Port(int? Number);

    private sealed record Ping(TimeSpan? Interval, TimeSpan? Timeout);
}
