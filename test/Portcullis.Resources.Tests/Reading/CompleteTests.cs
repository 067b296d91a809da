using System.Text;

namespace Portcullis.Resources.Tests.Reading;

/// <summary>Every field of every kind, once: none is refused, and what the gateway uses arrives.</summary>
public sealed class CompleteTests
{
    [Theory]
    [InlineData("gateway.yaml", 0)]
    [InlineData("virtual-service.yaml", 0)]
    [InlineData("destination-rule.yaml", 3)] // retryBudget, proxyProtocol, tunnel, error codes; a note for locality
    [InlineData("services.yaml", 0)]
    [InlineData("policies.yaml", 0)]
    public void Read_EveryField_IsKnown(string file, int remarks)
    {
        var result = Read(file);

        Assert.DoesNotContain(result.Problems, p => p.Severity is ProblemSeverity.Error);
        Assert.Equal(remarks, result.Problems.Count(p => p.Code == ProblemCodes.Unsupported));
    }

    [Fact]
    public void Read_Gateway_KeepsServersAndTls()
    {
        var gateway = Single<Gateway>("gateway.yaml");

        Assert.Equal(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero), gateway.Metadata.CreationTimestamp);
        Assert.Equal("edge", gateway.Metadata.Labels["app"]);
        Assert.Equal(4, gateway.Servers.Length);
        Assert.Equal(new ServerPort(80, "http", "HTTP"), gateway.Servers[0].Port);
        Assert.Equal("0.0.0.0", gateway.Servers[0].Bind);
        Assert.True(gateway.Servers[0].Tls!.HttpsRedirect);
        var tls = gateway.Servers[1].Tls!;
        Assert.Equal((ServerTlsMode.Mutual, TlsProtocolVersion.Tls12, TlsProtocolVersion.Tls13), (tls.Mode, tls.MinProtocolVersion, tls.MaxProtocolVersion));
        Assert.Equal(["rsa", "ecdsa"], tls.CredentialNames);
        Assert.Equal("/ca", gateway.Servers[2].Tls!.CaCertificates);
        Assert.Equal("/key", Assert.Single(gateway.Servers[3].Tls!.TlsCertificates).PrivateKey);
    }

    [Fact]
    public void Read_VirtualService_KeepsMatchesAndActions()
    {
        var service = Single<VirtualService>("virtual-service.yaml");

        Assert.Equal(["edge", "./edge", "other/edge", "mesh"], service.Gateways);
        var first = service.Http[0];
        var match = Assert.Single(first.Match);
        Assert.Equal(new StringMatch(StringMatchKind.Prefix, "/a"), match.Uri);
        Assert.Equal(new StringMatch(StringMatchKind.Regex, "GET|POST"), match.Method);
        Assert.Equal(StringMatchKind.Present, match.Headers["x-any"].Kind);
        Assert.Equal(StringMatchKind.Present, match.Headers["x-star"].Kind);
        Assert.Equal(new StringMatch(StringMatchKind.Exact, "admin"), match.Headers["@request.auth.claims[groups][name]"]);
        Assert.Equal(new StringMatch(StringMatchKind.Exact, ""), match.QueryParams["q"]);
        Assert.True(match.IgnoreUriCase);
        Assert.Equal([90, 10], first.Route.Select(r => r.Weight));
        Assert.Equal(new Destination { Host = "reviews", Subset = "v1", Port = 9080 }, first.Route[0].Destination);
        Assert.Equal("d", first.Route[0].Headers!.Response.Set["x-d"]);
        Assert.Equal(TimeSpan.FromSeconds(1.5), first.Timeout);
        Assert.Equal(new HttpRetry { Attempts = 3, PerTryTimeout = TimeSpan.FromMilliseconds(250), RetryOn = "5xx, reset,503", RetryRemoteLocalities = true, RetryIgnorePreviousHosts = false, Backoff = TimeSpan.FromMilliseconds(10) }, first.Retries);
        Assert.Equal(new FaultDelay(TimeSpan.FromSeconds(5), 0.5), first.Fault!.Delay);
        Assert.Equal([25, 100], first.Mirrors.Select(m => m.Percentage));
        Assert.Equal((TimeSpan.FromHours(24), UnmatchedPreflights.Ignore), (first.CorsPolicy!.MaxAge, first.CorsPolicy.UnmatchedPreflights));
        var second = service.Http[1];
        Assert.Equal(new RegexRewrite("^/old/(.*)", @"/new/\1"), second.Rewrite!.UriRegexRewrite);
        Assert.Equal(30, Assert.Single(second.Mirrors).Percentage);
        Assert.Equal(new StringMatch(StringMatchKind.Exact, "https://legacy.example"), Assert.Single(second.CorsPolicy!.AllowOrigins));
        Assert.Equal(new FaultAbort(null, "UNAVAILABLE", 100), second.Fault!.Abort);
        Assert.Equal((308, "/s", "FROM_REQUEST_PORT"), (service.Http[2].Redirect!.RedirectCode, service.Http[2].Redirect!.PrefixRewrite, service.Http[2].Redirect!.DerivePort));
        Assert.Equal("tea", Encoding.UTF8.GetString(service.Http[3].DirectResponse!.Body!.Value.Span));
        Assert.Equal(new DelegateReference("rules", "team"), service.Http[5].Delegate);
        Assert.Equal(["a.example"], Assert.Single(Assert.Single(service.Tls).Match).SniHosts);
        Assert.Equal(9000, Assert.Single(Assert.Single(service.Tcp).Match).Port);
    }

    [Fact]
    public void Read_DestinationRule_KeepsThePolicy()
    {
        var rule = Single<DestinationRule>("destination-rule.yaml");

        var policy = rule.TrafficPolicy!;
        Assert.Equal("ROUND_ROBIN", policy.LoadBalancer!.Simple);
        Assert.Equal(new Warmup(TimeSpan.FromSeconds(30), 10, 1.5), policy.LoadBalancer.Warmup);
        Assert.Equal((100, TimeSpan.FromMilliseconds(30), 4, TimeSpan.FromSeconds(5)),
            (policy.ConnectionPool!.MaxConnections, policy.ConnectionPool.ConnectTimeout, policy.ConnectionPool.MaxRetries, policy.ConnectionPool.HttpIdleTimeout));
        Assert.Equal((7, 8, 9, 12), (policy.OutlierDetection!.Consecutive5xxErrors, policy.OutlierDetection.ConsecutiveGatewayErrors, policy.OutlierDetection.ConsecutiveLocalOriginFailures, policy.OutlierDetection.MaxEjectionPercent));
        Assert.Equal((ClientTlsMode.Mutual, "b"), (policy.Tls!.Mode, policy.Tls.Sni));
        Assert.Equal((503, new RetryBudget(20, 3)), (policy.OutlierDetection.HttpErrorCodes.Single(), policy.RetryBudget));
        var port = Assert.Single(policy.PortLevelSettings);
        var hash = port.Policy.LoadBalancer!.ConsistentHash!;
        Assert.Equal((80, 512, "c", "/", TimeSpan.Zero), (port.Port, hash.MinimumRingSize, hash.HttpCookie!.Name, hash.HttpCookie.Path, hash.HttpCookie.Ttl));
        Assert.Equal([new("SameSite", "Lax")], hash.HttpCookie.Attributes);
        Assert.Equal((true, "a"), (policy.LoadBalancer.Locality!.Enabled, policy.LoadBalancer.Locality.FailoverPriority.Single()));
        Assert.Equal(["v1", "v2"], rule.Subsets.Select(s => s.Name));
        Assert.Equal(65537, rule.Subsets[0].TrafficPolicy!.LoadBalancer!.ConsistentHash!.MaglevTableSize);
        Assert.Equal("ingressgateway", rule.WorkloadSelector!["istio"]);
    }

    [Fact]
    public void Read_AListOfServices_KeepsEachItem()
    {
        var result = Read("services.yaml");

        var entry = Assert.Single(result.Resources.OfType<ServiceEntry>());
        Assert.Equal(new ServiceEntryPort(5432, "tcp", "TCP", 15432), Assert.Single(entry.Ports));
        Assert.Equal((5433, 5, "r/z/s"), (entry.Endpoints[0].Ports["tcp"], entry.Endpoints[0].Weight, entry.Endpoints[0].Locality));
        Assert.Equal("10.0.0.2", Assert.Single(result.Resources.OfType<WorkloadEntry>()).Spec.Address);
        var web = result.Resources.OfType<Service>().First();
        Assert.Equal(("LoadBalancer", "None", true), (web.Type, web.ClusterIP, web.PublishNotReadyAddresses));
        Assert.Equal(["web", "9000"], web.Ports.Select(p => p.TargetPort));
        Assert.Equal("db.example", result.Resources.OfType<Service>().Last().ExternalName);
        var endpoints = Assert.Single(result.Resources.OfType<Endpoints>());
        Assert.Equal(["10.0.0.3"], endpoints.Subsets[0].Addresses);
        Assert.Equal(["::1"], endpoints.Subsets[0].NotReadyAddresses);
        var slice = Assert.Single(result.Resources.OfType<EndpointSlice>());
        Assert.Equal("web", slice.ServiceName);
        Assert.Equal(("web-abc", true, false, "z"), (slice.Endpoints[0].TargetName, slice.Endpoints[0].Ready, slice.Endpoints[0].Terminating, slice.Endpoints[0].Zone));
        Assert.Equal([8080, null], slice.Ports.Select(p => p.Port));
        var secret = Assert.Single(result.Resources.OfType<Secret>());
        Assert.Equal("key", Encoding.UTF8.GetString(secret.Values["tls.key"].Span));
        Assert.Equal(["10.0.0.3", "2001:db8::1"], Assert.Single(result.Resources.OfType<Pod>()).PodIPs);
    }

    [Fact]
    public void Read_Policies_KeepsRules()
    {
        var result = Read("policies.yaml");

        var authentication = Assert.Single(result.Resources.OfType<RequestAuthentication>());
        Assert.Equal("edge", Assert.Single(authentication.Selection.TargetRefs).Name);
        var rule = authentication.JwtRules[0];
        Assert.Equal(("https://issuer.example/jwks", TimeSpan.FromSeconds(1.5), JwtPresence.Required, true), (rule.JwksUri, rule.Timeout, rule.Presence, rule.ForwardOriginalToken));
        Assert.Equal([new("x-jwt", "Token "), new("x-raw", "")], rule.FromHeaders);
        Assert.Equal([new ClaimToHeader("x-sub", "sub")], rule.OutputClaimToHeaders);
        var policies = result.Resources.OfType<AuthorizationPolicy>().ToList();
        Assert.Equal([PolicyAction.Deny, PolicyAction.Custom, PolicyAction.Allow], policies.Select(p => p.Action));
        var deny = Assert.Single(policies[0].Rules);
        Assert.Equal(["td", "td-*"], deny.From[0].TrustDomains);
        Assert.Equal(["sa", "ns/sa"], deny.From[1].ServiceAccounts);
        Assert.Equal(["/a/{*}/b/{**}", "/x*"], deny.To[0].Paths);
        Assert.Equal(15, deny.When.Length);
        Assert.Equal(["b"], deny.When[0].NotValues);
        Assert.Equal("opa", policies[1].ProviderName);
        Assert.Empty(policies[2].Rules); // no spec: an ALLOW policy that matches nothing
    }

    [Fact]
    public void Read_MeshConfig_KeepsEveryKey()
    {
        var result = MeshConfigReader.Read("mesh.yaml", Text("mesh.yaml"));

        Assert.DoesNotContain(result.Problems, p => p.Severity is ProblemSeverity.Error);
        AssertMesh(result.Config!);
    }

    [Fact]
    public void Read_MeshConfigInAConfigMap_IsTheSame()
    {
        var indented = string.Join('\n', Text("mesh.yaml").Split('\n').Select(l => "    " + l));
        var result = MeshConfigReader.Read("cm.yaml", $"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio}}\ndata:\n  mesh: |\n{indented}\n");

        Assert.DoesNotContain(result.Problems, p => p.Severity is ProblemSeverity.Error);
        AssertMesh(result.Config!);
        var note = result.Problems.First(p => p.FieldPath == "data.mesh: enableTracing");
        Assert.Equal(new SourcePosition(13, 20), note.Position);
    }

    private static void AssertMesh(MeshConfig mesh)
    {
        Assert.Equal((PathNormalizationMode.DecodeAndMergeSlashes, "root", "td.example"), (mesh.PathNormalization, mesh.RootNamespace, mesh.TrustDomain));
        Assert.Equal(["old.example"], mesh.TrustDomainAliases);
        Assert.Equal(("/dev/stdout", "%PROTOCOL%", AccessLogEncoding.Json), (mesh.AccessLogFile, mesh.AccessLogFormat, mesh.AccessLogEncoding));
        Assert.Equal((2, true), (mesh.NumTrustedProxies, mesh.ProxyProtocol));
        Assert.Equal((AuthorizationDeniedMode.Forbidden, PrincipalWithoutSubMode.Reject, DenyPathReadingsMode.Exact, "edge"), (mesh.AuthorizationDenied, mesh.PrincipalWithoutSub, mesh.DenyPathReadings, mesh.ServerHeader));
        Assert.Equal(["http-authz", "grpc-authz"], mesh.ExtensionProviders.Select(p => p.Name));
        var http = mesh.ExtensionProviders[0];
        Assert.Equal((8000, TimeSpan.FromSeconds(2), true, 503, "/check"), (http.Port, http.Timeout, http.FailOpen, http.StatusOnError, http.PathPrefix));
        Assert.Equal(["x-a", "x-b-*"], http.IncludeRequestHeadersInCheck);
        Assert.Equal(new CheckRequestBody(1024, true, false), http.IncludeRequestBodyInCheck);
        Assert.True(mesh.ExtensionProviders[1].IsGrpc);
        Assert.Equal(
            new ProxyHeaders
            {
                PassesServer = true,
                GeneratesRequestId = false,
                HasAttemptCount = false,
                HasDebugHeaders = false,
                HasForwardedHost = true,
                HasForwardedPort = true,
            },
            mesh.ProxyHeaders);
        var traffic = mesh.Traffic;
        Assert.Equal((0, 7, 3), (traffic.Retries!.Attempts, traffic.ConnectionPool!.MaxConnections, traffic.OutlierDetection!.Consecutive5xxErrors));
        Assert.Equal((TimeSpan.FromSeconds(3), TimeSpan.FromHours(1), true), (traffic.ConnectTimeout, traffic.TcpKeepalive!.Time, traffic.UpgradesToHttp2));
        Assert.Equal((".", "*", "team"), (traffic.ServiceExportTo.Single(), traffic.VirtualServiceExportTo.Single(), traffic.DestinationRuleExportTo.Single()));
        Assert.False(mesh.Locality.Enabled);
    }

    private static T Single<T>(string file) => Assert.Single(Read(file).Resources.OfType<T>());

    private static ReadResult Read(string file) => ResourceReader.Read(file, Text(file));

    private static string Text(string file) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Complete", file));
}
