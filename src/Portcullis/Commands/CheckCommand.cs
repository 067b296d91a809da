using System.CommandLine;
using Portcullis.Gateway.Configuration;
using Portcullis.Reports;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Commands;

/// <summary>What a part of the gateway finds wrong with a configuration when it compiles it.</summary>
internal delegate IEnumerable<Problem> ConfigurationCheck(ResourceSet set, WorkloadIdentity workload, PortMap ports);

/// <summary><c>portcullis check</c>: reads a configuration as <c>run</c> would, and says all that is wrong with it.</summary>
internal static class CheckCommand
{
    /// <param name="checks">What is asked beyond reading, validating and cross-referencing: the compilers of the gateway.</param>
    public static Command Create(params ReadOnlySpan<ConfigurationCheck> checks)
    {
        var arguments = new GatewayArguments();
        var format = new Option<ReportFormat>("--output", "-o")
        {
            Description = "text as compilers print it, json, or sarif for code hosts and editors.",
            HelpName = "text|json|sarif",
            DefaultValueFactory = _ => ReportFormat.Text,
        };
        var command = new Command("check", """
            Validate resources and how they fit together: every problem with file, line, column and remedy.

            Exit code 0: no error. 1: at least one error. 2: wrong usage, or a file that cannot be read.

            Examples:
              portcullis check -f samples/guide
              portcullis check -f gateway.yaml -f policies/ --mesh-config mesh.yaml
              portcullis check -f k8s/ --labels istio=ingressgateway,app=edge --namespace edge --output sarif > portcullis.sarif
            """);
        arguments.AddTo(command);
        command.Options.Add(format);
        ConfigurationCheck[] all = [.. checks];
        command.SetAction(result => Check(
            new FileResourceSourceOptions { Paths = [.. result.GetRequiredValue(arguments.Paths)], MeshConfigPath = result.GetValue(arguments.MeshConfig) },
            arguments.Workload(result),
            arguments.PortMap(result),
            all,
            result.GetValue(format),
            result.InvocationConfiguration.Output));
        return command;
    }

    internal static int Check(
        FileResourceSourceOptions files,
        WorkloadIdentity workload,
        PortMap ports,
        IEnumerable<ConfigurationCheck> checks,
        ReportFormat format,
        TextWriter output)
    {
        var set = new FileResourceSource(files, TimeProvider.System).Load();
        if (set.Mesh.RootNamespace is { } root)
        {
            workload = workload with { RootNamespace = root };
        }

        var report = new ProblemReport(
            [.. set.Problems, .. ResourceSetValidator.Validate(set, workload), .. checks.SelectMany(check => check(set, workload, ports))],
            set.All.Length);
        report.Write(output, format);
        return report.IsIncomplete ? ExitCode.Usage : report.Errors > 0 ? ExitCode.No : ExitCode.Good;
    }
}
