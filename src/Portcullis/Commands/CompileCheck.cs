using Portcullis.Gateway.ExternalAuthorization;
using Portcullis.Jose;
using Portcullis.Policy;
using Portcullis.Policy.Authentication;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Commands;

/// <summary>What the gateway's compilers find wrong: key sets, expressions, routes that cannot be. No key is fetched and no port opened.</summary>
internal static class CompileCheck
{
    public static IEnumerable<Problem> Run(ResourceSet set, WorkloadIdentity workload, PortMap ports)
    {
        var problems = new List<Problem>();
        var routing = RoutingSnapshot.Compile(set, workload, set.Mesh, ports, problems);
        var authentications = set.OfType<RequestAuthentication>().Where(r => PolicyAttachment.AppliesTo(r, r.Selection, workload)).ToList();
        JwtAuthenticator.Compile(authentications, new UnfetchedKeys(), AuthenticationOptions.For(set.Mesh, workload), problems);
        Authorizer.Compile(set.OfType<AuthorizationPolicy>(), set.Mesh, workload, authentications.SelectMany(a => a.JwtRules).Select(r => r.Issuer), problems);
        // Names that the mesh configuration does not know are found by the references' check.
        var providers = CustomProviders.Resolve(set, workload, routing, CustomProviders.AllowsSeveral());
        CustomProviders.Report(providers.Where(p => p.Settings is not null), ProblemSeverity.Error, problems);
        return problems;
    }

    /// <summary>Remote keys are not looked at: whether they can be had now says little about later.</summary>
    private sealed class UnfetchedKeys : IJwksResolver
    {
        public JwksSource Resolve(JwksLocation location) => new Source();

        private sealed class Source : JwksSource
        {
            public override JwksState Current { get; } = new(null, JwtStatus.VerificationFailed, 0);
        }
    }
}
