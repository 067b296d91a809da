using System.CommandLine;
using Portcullis.Gateway;
using Portcullis.Gateway.Explanation;
using Portcullis.Resources;

namespace Portcullis.Commands;

/// <summary>Reads a gateway's configuration for a command that asks questions about it.</summary>
internal static class GatewayLoading
{
    /// <exception cref="InputException">The files cannot be read or hold errors; all of them have been written to standard error.</exception>
    public static async Task<GatewayExplainer> LoadAsync(GatewayArguments arguments, ParseResult result, bool fetchesKeys, CancellationToken cancellationToken)
    {
        if (result.GetValue(arguments.Paths) is not { Length: > 0 } paths)
        {
            throw new InputException("say where the resources are: -f PATH");
        }

        var options = new GatewayOptions
        {
            Paths = [.. paths],
            MeshConfigFile = result.GetValue(arguments.MeshConfig),
            Workload = arguments.Workload(result),
            Ports = arguments.PortMap(result),
        };
        var offline = await OfflineGateway.LoadAsync(options, fetchesKeys, cancellationToken);
        foreach (var problem in offline.Problems.Where(p => p.Severity == ProblemSeverity.Error))
        {
            await result.InvocationConfiguration.Error.WriteLineAsync(problem.ToString());
        }

        return offline.Explainer ?? throw new InputException("the resources have errors; see above, or run `portcullis check`");
    }
}
