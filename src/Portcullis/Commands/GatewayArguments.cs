using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Commands;

/// <summary>The options that every command takes that reads a gateway's configuration.</summary>
internal sealed class GatewayArguments
{
    public Option<string[]> Paths { get; } = new("--file", "-f")
    {
        Description = "File or folder with resources (YAML or JSON); repeatable. Folders are read recursively.",
        HelpName = "PATH",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    };

    public Option<string?> MeshConfig { get; } = new("--mesh-config")
    {
        Description = "Istio MeshConfig YAML, bare or in a ConfigMap's `mesh` key. Default: Istio's defaults.",
        HelpName = "FILE",
    };

    public Option<ImmutableDictionary<string, string>?> Labels { get; } = new("--labels")
    {
        Description = "This gateway's workload labels, which selectors are held against. Default: istio=ingressgateway.",
        HelpName = "K=V,…",
        CustomParser = ParseLabels,
    };

    public Option<string> Namespace { get; } = new("--namespace")
    {
        Description = "The namespace that this gateway runs in.",
        HelpName = "NAME",
        DefaultValueFactory = _ => "istio-system",
    };

    public Option<string> RootNamespace { get; } = new("--root-namespace")
    {
        Description = "The namespace whose policies reach every workload.",
        HelpName = "NAME",
        DefaultValueFactory = _ => "istio-system",
    };

    public Option<PortMap?> Ports { get; } = new("--port")
    {
        Description = "Port really bound for a declared one, for example 80=8080; repeatable. Default: 80=8080 and 443=8443, every other as it is.",
        HelpName = "DECLARED=BOUND",
        AllowMultipleArgumentsPerToken = false,
        Arity = ArgumentArity.OneOrMore,
        CustomParser = ParsePorts,
    };

    /// <summary>Adds all of them to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(Paths);
        command.Options.Add(MeshConfig);
        command.Options.Add(Ports);
        command.Options.Add(Labels);
        command.Options.Add(Namespace);
        command.Options.Add(RootNamespace);
    }

    /// <summary>What the gateway is to the resources.</summary>
    public WorkloadIdentity Workload(ParseResult result) => new()
    {
        Labels = result.GetValue(Labels) ?? new WorkloadIdentity().Labels,
        Namespace = result.GetRequiredValue(Namespace),
        RootNamespace = result.GetRequiredValue(RootNamespace),
    };

    /// <summary>Which port is really bound for a declared one.</summary>
    public PortMap PortMap(ParseResult result) => result.GetValue(Ports) ?? Routing.PortMap.Default;

    private static ImmutableDictionary<string, string>? ParseLabels(ArgumentResult result)
    {
        var labels = ImmutableDictionary.CreateBuilder<string, string>();
        foreach (var pair in result.Tokens.SelectMany(t => t.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                result.AddError($"`{pair}` is not a label; write --labels name=value,name=value");
                return null;
            }

            labels[pair[..equals]] = pair[(equals + 1)..];
        }

        return labels.ToImmutable();
    }

    private static PortMap? ParsePorts(ArgumentResult result)
    {
        if (Routing.PortMap.TryParse(result.Tokens.Select(t => t.Value), out var ports, out var error))
        {
            return ports;
        }

        result.AddError(error);
        return null;
    }
}
