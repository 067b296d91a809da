using Portcullis.Resources;

namespace Portcullis.Policy.Authentication;

/// <summary>What request authentication takes from the mesh rather than from a policy.</summary>
public sealed record AuthenticationOptions
{
    /// <summary>
    /// Istio-exact mode: claim names in <c>outputClaimToHeaders</c> are split on every dot, and tokens that no rule verified stay in the forwarded request.
    /// Default <see langword="false"/>.
    /// </summary>
    public bool IstioExact { get; init; }

    /// <summary>The mesh's root namespace: its rules are merged after the workload namespace's.</summary>
    public string RootNamespace { get; init; } = "istio-system";

    /// <summary>
    /// Tokens verified before; <see langword="null"/> verifies every token anew. One instance may serve every snapshot: entries are tied to key sets, not to rules.
    /// </summary>
    public VerifiedTokenCache? Cache { get; init; }

    /// <summary>The options that a mesh configuration asks for: exact when all three of its switches are.</summary>
    public static AuthenticationOptions For(MeshConfig mesh, WorkloadIdentity workload) => new()
    {
        IstioExact = mesh is
        {
            AuthorizationDenied: AuthorizationDeniedMode.Forbidden,
            PrincipalWithoutSub: PrincipalWithoutSubMode.Reject,
            DenyPathReadings: DenyPathReadingsMode.Exact,
        },
        RootNamespace = mesh.RootNamespace ?? workload.RootNamespace,
    };
}
