using System.Collections.Frozen;
using System.Collections.Immutable;
using Portcullis.Gateway.ExternalAuthorization;
using Portcullis.Gateway.Forwarding;
using Portcullis.Gateway.Listeners;
using Portcullis.Gateway.Listeners.Tls;
using Portcullis.Gateway.Telemetry.AccessLogs;
using Portcullis.Gateway.Telemetry.Tracing;
using Portcullis.Matching;
using Portcullis.Policy;
using Portcullis.Policy.Authentication;
using Portcullis.Policy.Authorization;
using Portcullis.Policy.Explanation;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.Configuration;

/// <summary>One revision of the whole configuration, compiled: what a request is served by from its first byte to its last. Immutable.</summary>
internal sealed class GatewaySnapshot
{
    private readonly FrozenDictionary<ListenerKey, CompiledListener> _listeners;

    private GatewaySnapshot(
        ResourceSet resources,
        RoutingSnapshot routing,
        JwtAuthenticator? authenticator,
        Authorizer authorizer,
        ExternalAuthorizationPlan externalAuthorization,
        UpstreamTable upstreams,
        ImmutableArray<Problem> problems)
    {
        Resources = resources;
        RecordedFields = new RecordedFields(resources);
        Routing = routing;
        Authenticator = authenticator;
        Authorizer = authorizer;
        ExternalAuthorization = externalAuthorization;
        Upstreams = upstreams;
        Problems = problems;
        _listeners = routing.Listeners.ToFrozenDictionary(l => new ListenerKey(l.Bind, l.Port));
    }

    /// <summary>Serves nothing: every request is 404.</summary>
    public static GatewaySnapshot Empty { get; } =
        Compile(ResourceSet.Empty, new SnapshotEnvironment(new WorkloadIdentity(), PortMap.Default, new NoRemoteKeys(), null, UpstreamDirectory.Empty), []);

    public ResourceSet Resources { get; }

    public MeshConfig Mesh => Resources.Mesh;

    public RoutingSnapshot Routing { get; }

    /// <summary><see langword="null"/> when no rule is attached: the stage does not exist then.</summary>
    public JwtAuthenticator? Authenticator { get; }

    public Authorizer Authorizer { get; }

    /// <summary>Whom to ask when <see cref="Authorizer"/> finds a CUSTOM match.</summary>
    public ExternalAuthorizationPlan ExternalAuthorization { get; }

    /// <summary>How request paths are normalised.</summary>
    public PathNormalization NormalizationMode => Mesh.PathNormalization switch
    {
        PathNormalizationMode.None => PathNormalization.None,
        PathNormalizationMode.MergeSlashes => PathNormalization.MergeSlashes,
        PathNormalizationMode.DecodeAndMergeSlashes => PathNormalization.DecodeAndMergeSlashes,
        _ => PathNormalization.Base,
    };

    /// <summary>Every choice is Istio's: nothing is answered that Istio would not answer.</summary>
    public bool IsIstioExact => Mesh is
    {
        AuthorizationDenied: AuthorizationDeniedMode.Forbidden,
        PrincipalWithoutSub: PrincipalWithoutSubMode.Reject,
        DenyPathReadings: DenyPathReadingsMode.Exact,
    };

    /// <summary>What is kept of the requests that it decides.</summary>
    public RecordedFields RecordedFields { get; }

    /// <summary>Certificates of the servers that terminate TLS.</summary>
    public required TlsTable Tls { get; init; }

    /// <summary>Decides on connections that are forwarded as they are.</summary>
    public required Authorizer TcpAuthorizer { get; init; }

    /// <summary>Backends with their state at run time.</summary>
    public UpstreamTable Upstreams { get; }

    /// <summary>What reading, validating and compiling found.</summary>
    public ImmutableArray<Problem> Problems { get; }

    /// <summary>Counts publications, from 1; 0 before the first.</summary>
    public long Generation { get; init; }

    /// <summary><see langword="null"/> when nothing is traced.</summary>
    public Tracer? Tracer { get; init; }

    /// <summary><see langword="null"/> when the access log is off.</summary>
    public AccessLogWriter? AccessLog { get; init; }

    public IEnumerable<ListenerKey> ListenerKeys => _listeners.Keys;

    /// <summary>
    /// Compiles a set. Where anything is an error, nothing outside the snapshot changes; else the environment keeps of its backends and certificates
    /// what this configuration has.
    /// </summary>
    /// <param name="resources">What the author wrote.</param>
    /// <param name="environment">What it is compiled for.</param>
    /// <param name="problems">What was found before, and what is found now; the snapshot takes all of it.</param>
    /// <param name="generation">Number of the publication.</param>
    public static GatewaySnapshot Compile(ResourceSet resources, SnapshotEnvironment environment, List<Problem> problems, long generation = 0)
    {
        var mesh = resources.Mesh;
        var workload = mesh.RootNamespace is { } root ? environment.Workload with { RootNamespace = root } : environment.Workload;
        var routing = RoutingSnapshot.Compile(resources, workload, mesh, environment.Ports, problems);
        DataPlaneLimits.Report(routing, resources, problems);
        var authentications = resources.OfType<RequestAuthentication>().Where(r => PolicyAttachment.AppliesTo(r, r.Selection, workload)).ToImmutableArray();
        var options = AuthenticationOptions.For(mesh, workload) with { Cache = environment.VerifiedTokens };
        var authenticator = JwtAuthenticator.Compile(authentications, environment.Keys, options, problems);
        var tls = TlsTable.Compile(routing, resources, workload.Namespace, environment.Certificates, problems);
        var issuers = authentications.SelectMany(a => a.JwtRules).Select(r => r.Issuer);
        var authorizer = Authorizer.Compile(resources.OfType<AuthorizationPolicy>(), mesh, workload, issuers, problems);
        var external = ExternalAuthorizationPlan.Compile(resources, workload, routing, environment.Authorizers, problems);
        var (upstreams, accessLog, tracer) = problems.Exists(static p => p.Severity == ProblemSeverity.Error)
            ? Reject(environment)
            : Accept(resources, environment, problems);
        var table = upstreams.TableFor(routing, resources, workload.Namespace);
        return new GatewaySnapshot(resources, routing, authenticator, authorizer, external, table, [.. problems])
        {
            Generation = generation,
            Tls = tls,
            TcpAuthorizer = TcpAuthorizerFor(routing, resources, mesh, workload),
            AccessLog = accessLog,
            Tracer = tracer,
        };
    }

    private static (UpstreamDirectory, AccessLogWriter?, Tracer?) Accept(ResourceSet resources, SnapshotEnvironment environment, List<Problem> problems)
    {
        environment.Certificates.Commit();
        var (accessLog, tracer) = environment.Telemetry?.Invoke(resources.Mesh, problems) ?? default;
        return (environment.Upstreams, accessLog, tracer);
    }

    /// <summary>The backends, names and certificates of the configuration in force stay as they are.</summary>
    private static (UpstreamDirectory, AccessLogWriter?, Tracer?) Reject(SnapshotEnvironment environment)
    {
        environment.Certificates.Forget();
        return (new UpstreamDirectory(dns: null, TimeProvider.System), null, null);
    }

    /// <summary>
    /// On TCP an HTTP-only field is as the specification says, and no error of the policy: the problems are not reported, for the policy may be meant for
    /// the HTTP ports of the same gateway.
    /// </summary>
    private static Authorizer TcpAuthorizerFor(RoutingSnapshot routing, ResourceSet resources, MeshConfig mesh, WorkloadIdentity workload) =>
        Authorizer.CompileForTcp(
            routing.Listeners.All(l => l.Protocol == ListenerProtocol.Http) ? [] : resources.OfType<AuthorizationPolicy>(), mesh, workload, []);

    /// <summary>The compiled listener of a bound socket; <see langword="null"/> when this revision no longer has it.</summary>
    public CompiledListener? FindListener(ListenerKey key) => _listeners.GetValueOrDefault(key);

    /// <summary>Without a fetcher every remote key set is missing, which fails closed.</summary>
    private sealed class NoRemoteKeys : IJwksResolver
    {
        public JwksSource Resolve(JwksLocation location) => throw new InvalidOperationException("the empty snapshot has no rules");
    }
}
