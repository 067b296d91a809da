using Portcullis.Gateway.Configuration;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Commands;

/// <summary>What is valid and probably not meant (PC3xxx).</summary>
internal static class AnalysisCheck
{
    public static IEnumerable<Problem> Run(ResourceSet set, WorkloadIdentity workload, PortMap ports) =>
        ConfigurationAnalysis.Analyze(set, workload, RoutingSnapshot.Compile(set, workload, set.Mesh, ports, []));
}
