using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>A host that routes can name: a Kubernetes Service, or one host of a ServiceEntry.</summary>
internal sealed class ServiceHost
{
    public required string Host { get; init; }

    /// <summary>The <see cref="Resources.Service"/> or <see cref="ServiceEntry"/>.</summary>
    public required Resource Resource { get; init; }

    public required ImmutableArray<ServiceHostPort> Ports { get; init; }

    /// <summary>Where an ExternalName Service points.</summary>
    public string? ExternalName => Resource is Service { Type: "ExternalName", ExternalName.Length: > 0 } service ? service.ExternalName : null;

    public string Namespace => Resource.Metadata.Namespace;

    public bool TryGetPort(int number, out ServiceHostPort port)
    {
        foreach (var candidate in Ports)
        {
            if (candidate.Number == number)
            {
                port = candidate;
                return true;
            }
        }

        port = default;
        return false;
    }
}

/// <summary>A port that routes can name.</summary>
/// <param name="Number">Service port.</param>
/// <param name="Name">Name, which endpoints repeat; may be empty.</param>
/// <param name="TargetPort">Endpoint port: a number, a name, or <see langword="null"/> for <paramref name="Number"/>.</param>
/// <param name="Protocol">What is spoken, before a DestinationRule changes it.</param>
/// <param name="IsHttp">The port says that it speaks HTTP, of any version.</param>
internal readonly record struct ServiceHostPort(int Number, string Name, string? TargetPort, UpstreamProtocol Protocol, bool IsHttp);

/// <summary>All hosts that this gateway may send to, by name.</summary>
internal sealed class ServiceRegistry
{
    private readonly Dictionary<string, List<ServiceHost>> _byHost = new(StringComparer.OrdinalIgnoreCase);

    public ServiceRegistry(ResourceSet set, WorkloadIdentity workload, ImmutableArray<string> byDefault)
    {
        foreach (var service in set.OfType<Service>())
        {
            var exportTo = service.Metadata.Annotations.GetValueOrDefault(Visibility.Annotation) is { } annotation
                ? [.. annotation.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)]
                : ImmutableArray<string>.Empty;
            if (Visibility.Includes(workload.Namespace, exportTo, byDefault, service.Metadata.Namespace))
            {
                Add(new()
                {
                    Host = $"{service.Metadata.Name}.{service.Metadata.Namespace}.svc.{workload.ClusterDomain}",
                    Resource = service,
                    Ports = [.. service.Ports.Where(p => p.Protocol is "TCP" or "").Select(p =>
                        new ServiceHostPort(p.Port, p.Name ?? "", p.TargetPort, ProtocolSelection.Of(p), ProtocolSelection.IsHttp(p)))],
                });
            }
        }

        foreach (var entry in set.OfType<ServiceEntry>().Where(e => Visibility.Includes(workload.Namespace, e.ExportTo, byDefault, e.Metadata.Namespace)))
        {
            var ports = entry.Ports.Select(p => new ServiceHostPort(
                p.Number, p.Name, p.TargetPort?.ToString(System.Globalization.CultureInfo.InvariantCulture), ProtocolSelection.Of(p), ProtocolSelection.IsHttp(p.Protocol)));
            foreach (var host in entry.Hosts)
            {
                Add(new() { Host = host, Resource = entry, Ports = [.. ports] });
            }
        }
    }

    /// <summary>The service of a name: the one in the namespace asked for, else a Kubernetes Service, else the oldest ServiceEntry.</summary>
    public ServiceHost? Find(string host, string preferredNamespace)
    {
        if (!_byHost.TryGetValue(host, out var candidates))
        {
            return null;
        }

        foreach (var candidate in candidates)
        {
            if (candidate.Namespace == preferredNamespace)
            {
                return candidate;
            }
        }

        return candidates[0];
    }

    /// <summary>Namespaces that define a host, sorted.</summary>
    public ImmutableArray<string> NamespacesOf(string host) =>
        _byHost.TryGetValue(host, out var candidates) ? [.. candidates.Select(c => c.Namespace).Distinct().Order(StringComparer.Ordinal)] : [];

    private void Add(ServiceHost host) => (_byHost.TryGetValue(host.Host, out var list) ? list : _byHost[host.Host] = []).Add(host);
}

/// <summary>What is spoken to a port (routing.md §3).</summary>
internal static class ProtocolSelection
{
    public static UpstreamProtocol Of(ServicePort port) => Of(Named(port));

    /// <summary>The port says that it speaks HTTP.</summary>
    public static bool IsHttp(ServicePort port) => IsHttp(Named(port));

    public static bool IsHttp(string protocol) => protocol.ToLowerInvariant() is "http" or "http2" or "grpc" or "grpc-web" or "kubernetes.io/h2c" or "kubernetes.io/ws";

    private static string Named(ServicePort port)
    {
        if (port.AppProtocol is { Length: > 0 } app)
        {
            return app;
        }

        var name = port.Name ?? "";
        return name.StartsWith("grpc-web", StringComparison.OrdinalIgnoreCase) ? "grpc-web" : name.Split('-', 2)[0];
    }

    public static UpstreamProtocol Of(ServiceEntryPort port) => Of(port.Protocol);

    private static UpstreamProtocol Of(string protocol) => protocol.ToLowerInvariant() switch
    {
        "http2" or "grpc" or "grpc-web" or "kubernetes.io/h2c" => UpstreamProtocol.Http2,
        _ => UpstreamProtocol.Http1,
    };
}
