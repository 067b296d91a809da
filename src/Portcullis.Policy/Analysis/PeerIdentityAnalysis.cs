using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>Sources by client certificate, on a gateway that never asks for one.</summary>
internal static class PeerIdentityAnalysis
{
    public static void Run(AnalysisContext context)
    {
        if (!context.IsComplete || context.Ports.Count == 0 || context.Ports.Any(p => p.AsksForCertificate))
        {
            return;
        }

        foreach (var rule in context.Rules)
        {
            foreach (var term in rule.Terms)
            {
                if (!term.IsNegated && term.Kind is AttributeKind.PeerPrincipal or AttributeKind.PeerNamespace or AttributeKind.PeerServiceAccount or AttributeKind.PeerTrustDomain)
                {
                    context.Warning(
                        rule.Policy, term.Path, ProblemCodes.NoPeerIdentity, "no client has this identity: it comes from client certificates, and no server of the Gateways asks for one",
                        "for identities of tokens use requestPrincipals; for certificates set `tls.mode: MUTUAL` on a server");
                }
            }
        }
    }
}
