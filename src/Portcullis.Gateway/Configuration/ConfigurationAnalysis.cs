using System.Collections.Immutable;
using Portcullis.Policy.Analysis;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.Configuration;

/// <summary>Holds policies against the listeners that the Gateways make: the analysis beyond validation, which refuses nothing.</summary>
public static class ConfigurationAnalysis
{
    /// <summary>Finds what is valid and probably not meant.</summary>
    /// <param name="set">The resources.</param>
    /// <param name="workload">The gateway.</param>
    /// <param name="routing">The same resources, compiled.</param>
    public static ImmutableArray<Problem> Analyze(ResourceSet set, WorkloadIdentity workload, RoutingSnapshot routing)
    {
        ArgumentNullException.ThrowIfNull(routing);
        return PolicyAnalyzer.Analyze(set, workload, [.. routing.Listeners.Select(Describe)]);
    }

    private static ServedPort Describe(CompiledListener listener) => new(
        listener.Port,
        [.. listener.Servers.Select(s => s.Server.Port.Number).Distinct()],
        listener.Protocol == ListenerProtocol.Http || listener.TlsChains.Any(c => c.Treatment == TlsTreatment.TerminateHttp),
        listener.Protocol == ListenerProtocol.Tcp || listener.TlsChains.Any(c => c.Treatment != TlsTreatment.TerminateHttp),
        listener.TlsChains.Any(c => c.Treatment != TlsTreatment.PassThrough
            && c.Settings.Mode is ServerTlsMode.Mutual or ServerTlsMode.OptionalMutual or ServerTlsMode.IstioMutual),
        [.. listener.Servers.SelectMany(s => s.Server.Hosts).Select(h => h[(h.IndexOf('/', StringComparison.Ordinal) + 1)..]).Distinct()]);
}
