using System.Collections.Immutable;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Jwks;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;

namespace Portcullis.Gateway.Explanation;

/// <summary>Resources from files, compiled for questions instead of requests.</summary>
/// <param name="Explainer">Answers; <see langword="null"/> when there is an error.</param>
/// <param name="Problems">What reading and compiling found.</param>
public sealed record OfflineGateway(GatewayExplainer? Explainer, ImmutableArray<Problem> Problems)
{
    private static readonly TimeSpan KeysWait = TimeSpan.FromSeconds(10);

    /// <summary>Reads and compiles.</summary>
    /// <param name="options">Paths, mesh configuration, workload and ports; the rest is not used.</param>
    /// <param name="fetchesKeys">Fetches remote key sets, so that tokens can be verified; without, they fail as if the keys could not be had.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<OfflineGateway> LoadAsync(GatewayOptions options, bool fetchesKeys, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var source = new FileResourceSource(new FileResourceSourceOptions { Paths = options.Paths, MeshConfigPath = options.MeshConfigFile }, TimeProvider.System);
        var resources = source.Load();
        var problems = resources.Problems.ToList();
        if (!fetchesKeys)
        {
            return Finish(GatewayExplainer.Compile(resources, options.Workload, options.Ports, new NoKeys(), problems), problems);
        }

        await using var resolver = new RemoteJwksResolver(new JwksFetchOptions());
        using var revision = resolver.BeginRevision();
        var explainer = GatewayExplainer.Compile(resources, options.Workload, options.Ports, revision, problems);
        await revision.WaitForFirstAttemptAsync(KeysWait, cancellationToken);
        return Finish(explainer, problems);
    }

    private static OfflineGateway Finish(GatewayExplainer explainer, List<Problem> problems) =>
        new(problems.Any(p => p.Severity == ProblemSeverity.Error) ? null : explainer, [.. problems]);

    private sealed class NoKeys : IJwksResolver
    {
        public JwksSource Resolve(JwksLocation location) => FixedJwksSource.None;
    }
}
