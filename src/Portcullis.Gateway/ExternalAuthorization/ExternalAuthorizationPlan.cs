using System.Collections.Immutable;
using Portcullis.Gateway.Pipeline;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>Whom to ask about a request, in this order; part of a snapshot.</summary>
internal sealed class ExternalAuthorizationPlan
{
    private ExternalAuthorizationPlan(ImmutableArray<Step> steps) => Steps = steps;

    /// <summary>One per provider, by name.</summary>
    public ImmutableArray<Step> Steps { get; }

    /// <summary>Compiles the CUSTOM policies of a gateway.</summary>
    /// <param name="resources">All resources.</param>
    /// <param name="workload">The gateway.</param>
    /// <param name="routing">The same resources, compiled.</param>
    /// <param name="authorizers">Connections and the switch; <see langword="null"/>: nobody is asked, and what the policies match is denied.</param>
    /// <param name="problems">Receives the providers that cannot be asked.</param>
    public static ExternalAuthorizationPlan Compile(
        ResourceSet resources, WorkloadIdentity workload, RoutingSnapshot routing, ExternalAuthorizers? authorizers, ICollection<Problem> problems)
    {
        var providers = CustomProviders.Resolve(resources, workload, routing, authorizers?.AllowsSeveral ?? false);
        CustomProviders.Report(providers, ProblemSeverity.Warning, problems);
        return new ExternalAuthorizationPlan([.. providers.Select(p => new Step(
            // With one provider the snapshot's own authorizer has told already which rule matches.
            providers.Length == 1 ? null : Authorizer.Compile(p.Policies, resources.Mesh, workload, [], []),
            authorizers?.Create(p)))]);
    }

    /// <summary>One provider.</summary>
    /// <param name="rules">Its CUSTOM rules; <see langword="null"/> when there is no other provider.</param>
    /// <param name="authorizer"><see langword="null"/> when it cannot be asked: what its rules match is denied.</param>
    internal sealed class Step(Authorizer? rules, ExternalAuthorizer? authorizer)
    {
        public ExternalAuthorizer? Authorizer => authorizer;

        /// <summary>The first of its rules that matches, on the request as it is now.</summary>
        public CustomMatch? Match(GatewayContext context, CustomMatch first)
        {
            if (rules is null)
            {
                return first;
            }

            var view = new RequestView(context);
            return rules.EvaluateCustom(in view);
        }
    }
}
