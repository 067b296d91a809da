using System.Collections.Immutable;
using Portcullis.Resources.Analysis;

namespace Portcullis.Resources;

/// <summary>
/// Looks at the resources of a set together: references that lead nowhere, resources that get in each other's way, and resources that
/// cannot reach the gateway. These are findings about sound resources: nothing is refused because of them, a route without a backend
/// answers 503 and the other routes work. <c>check</c> counts an error here as a "no".
/// </summary>
public static class ResourceSetValidator
{
    /// <summary>Finds what is wrong between the resources.</summary>
    /// <param name="set">The resources, without those that reading refused.</param>
    /// <param name="workload">The gateway that they are for.</param>
    /// <returns>In the order of the checks; <see cref="ResourceSet.Problems"/> is not repeated.</returns>
    public static ImmutableArray<Problem> Validate(ResourceSet set, WorkloadIdentity workload)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(workload);
        var problems = new List<Problem>();
        var index = new ResourceIndex(set, workload);
        ListenerAnalysis.Run(index, problems);
        VirtualServiceAnalysis.Run(index, problems);
        DestinationAnalysis.Run(index, problems);
        EndpointAnalysis.Run(index, problems);
        PolicyAnalysis.Run(index, problems);
        return [.. problems];
    }
}
