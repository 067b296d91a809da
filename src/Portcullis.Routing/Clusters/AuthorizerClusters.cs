using System.Collections.Frozen;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>Where an external authorizer is.</summary>
/// <param name="Cluster">Its endpoints; <see langword="null"/> when <c>service</c> and <c>port</c> name nothing that the gateway knows.</param>
/// <param name="Reason">Why there is no cluster, as a sentence without its first capital and final stop.</param>
/// <param name="Remedy">What to do about it.</param>
public sealed record AuthorizerCluster(Cluster? Cluster, string? Reason = null, string? Remedy = null);

/// <summary>Finds the services of the external authorizers that CUSTOM policies name (authorization.md §10).</summary>
internal static class AuthorizerClusters
{
    /// <summary>By name of the provider; providers that no CUSTOM policy names are left out, so that nobody resolves their names.</summary>
    public static FrozenDictionary<string, AuthorizerCluster> Compile(ResourceSet set, MeshConfig mesh, ClusterCompiler clusters)
    {
        var used = set.OfType<AuthorizationPolicy>().Where(p => p.Action == PolicyAction.Custom).Select(p => p.ProviderName).ToHashSet(StringComparer.Ordinal);
        var found = new Dictionary<string, AuthorizerCluster>(StringComparer.Ordinal);
        foreach (var provider in mesh.ExtensionProviders)
        {
            if (used.Contains(provider.Name))
            {
                found.TryAdd(provider.Name, Resolve(provider, clusters));
            }
        }

        return found.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static AuthorizerCluster Resolve(ExtensionProvider provider, ClusterCompiler clusters)
    {
        var slash = provider.Service.IndexOf('/', StringComparison.Ordinal);
        var host = provider.Service[(slash + 1)..].ToLowerInvariant();
        if (slash >= 0)
        {
            return Resolve(provider, host, provider.Service[..slash], clusters);
        }

        var namespaces = clusters.NamespacesOf(host);
        return namespaces switch
        {
            [var only] => Resolve(provider, host, only, clusters),
            [] => new(null, $"`{host}` is no Service or ServiceEntry that the gateway sees", "write the full host name, such as ext-authz.default.svc.cluster.local"),
            _ => new(null, $"`{host}` is defined in the namespaces {string.Join(", ", namespaces)}", $"write NAMESPACE/{host}"),
        };
    }

    private static AuthorizerCluster Resolve(ExtensionProvider provider, string host, string ns, ClusterCompiler clusters)
    {
        if (!clusters.NamespacesOf(host).Contains(ns))
        {
            return new(null, $"namespace `{ns}` has no Service or ServiceEntry `{host}` that the gateway sees", "correct the namespace, or write the full host name after it");
        }

        var resolved = clusters.Resolve(new Destination { Host = host, Port = provider.Port }, ns, provider.Port);
        return resolved.Cluster is { } cluster ? new(cluster) : new(null, resolved.Reason, "correct `service` and `port`, or add the Service");
    }
}
