using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Policy.Tests.Authorization;

public sealed class PolicyAttachmentTests
{
    private static readonly WorkloadIdentity Classic = new() { Namespace = "web" };
    private static readonly WorkloadIdentity GatewayApi = Classic with
    {
        Labels = ImmutableDictionary<string, string>.Empty.Add(PolicyAttachment.GatewayNameLabel, "gw"),
    };

    [Theory]
    [InlineData("web", true)]
    [InlineData("istio-system", true)] // the root namespace reaches every gateway
    [InlineData("other", false)]
    public void AppliesTo_NoSelector_DependsOnTheNamespace(string ns, bool expected)
    {
        Assert.Equal(expected, Applies($$"""{"namespace":"{{ns}}"}""", Classic));
        Assert.Equal(expected, Applies($$"""{"namespace":"{{ns}}"}""", GatewayApi));
    }

    [Theory]
    [InlineData("""{"istio":"ingressgateway"}""", true)]
    [InlineData("{}", true)]
    [InlineData("""{"istio":"egressgateway"}""", false)]
    [InlineData("""{"istio":"ingressgateway","app":"x"}""", false)]
    public void AppliesTo_Selector_NeedsEveryLabel(string labels, bool expected) =>
        Assert.Equal(expected, Applies($$"""{"namespace":"web","matchLabels":{{labels}}}""", Classic));

    [Theory]
    [InlineData("web", "gateway.networking.k8s.io", "Gateway", "gw", null, true)]
    [InlineData("web", "gateway.networking.k8s.io", "Gateway", "gw", "web", true)]
    [InlineData("web", "gateway.networking.k8s.io", "Gateway", "gw", "other", false)]
    [InlineData("web", "gateway.networking.k8s.io", "Gateway", "gw2", null, false)]
    [InlineData("web", "", "Gateway", "gw", null, false)]
    [InlineData("web", "gateway.networking.k8s.io", "Service", "gw", null, false)]
    [InlineData("istio-system", "gateway.networking.k8s.io", "Gateway", "gw", null, false)] // no reach across namespaces
    public void AppliesTo_TargetReference_NeedsTheGatewayOfItsOwnNamespace(string ns, string group, string kind, string name, string? refNamespace, bool expected)
    {
        var reference = refNamespace is null ? "" : $$""","namespace":"{{refNamespace}}" """;
        var policy = $$"""{"namespace":"{{ns}}","targetRefs":[{"group":"{{group}}","kind":"{{kind}}","name":"{{name}}"{{reference}}}]}""";

        Assert.Equal(expected, Applies(policy, GatewayApi));
        Assert.False(Applies(policy, Classic)); // a classic ingress gateway has no name to refer to
    }

    private static bool Applies(string policy, WorkloadIdentity workload)
    {
        var parsed = Policies.Parse(policy);
        return PolicyAttachment.AppliesTo(parsed, parsed.Selection, workload);
    }
}
