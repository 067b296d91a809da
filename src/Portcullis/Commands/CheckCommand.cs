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
        var fix = new Option<bool>("--fix") { Description = "Make the changes that are safe to make in the files, comments and layout kept, and report what is left." };
        var dryRun = new Option<bool>("--dry-run") { Description = "With --fix: change nothing, show the changes as a diff." };
        var command = new Command("check", """
            Validate resources and how they fit together, and find what is valid but probably not meant: every problem with file, line, column and
            remedy. Each code has a page in docs/reference/problems.

            Exit code 0: no error. 1: at least one error. 2: wrong usage, or a file that cannot be read or written.
            With --online, key sets that cannot be fetched or used are errors, too.

            Examples:
              portcullis check -f samples/guide/config
              portcullis check -f gateway.yaml -f policies/ --mesh-config mesh.yaml
              portcullis check -f policies/ --fix --dry-run
              portcullis check -f policies/ --online
              portcullis check -f k8s/ --labels istio=ingressgateway,app=edge --namespace edge --output sarif > portcullis.sarif
            """);
        var online = new Option<bool>("--online") { Description = "Fetch the keys of every jwksUri and OpenID discovery, once, as the gateway would." };
        arguments.AddTo(command);
        command.Options.Add(online);
        command.Options.Add(format);
        command.Options.Add(fix);
        command.Options.Add(dryRun);
        command.Validators.Add(result =>
        {
            if (result.GetValue(dryRun) && !result.GetValue(fix))
            {
                result.AddError("--dry-run shows what --fix would change; give both");
            }
        });
        ConfigurationCheck[] all = [.. checks];
        command.SetAction(async (result, cancellationToken) =>
        {
            var files = new FileResourceSourceOptions { Paths = [.. result.GetRequiredValue(arguments.Paths)], MeshConfigPath = result.GetValue(arguments.MeshConfig) };
            var (workload, ports) = (arguments.Workload(result), arguments.PortMap(result));
            var (output, error) = (result.InvocationConfiguration.Output, result.InvocationConfiguration.Error);
            Func<ResourceSet, Task<IReadOnlyList<Problem>>> fetch =
                set => result.GetValue(online) ? KeySetCheck.RunAsync(set, error, cancellationToken) : NothingFetched;
            var report = await CheckAsync(files, workload, ports, all, fetch);
            var written = true;
            if (result.GetValue(fix))
            {
                written = CheckFixes.Apply(report.Problems, result.GetValue(dryRun), output, error);
                if (result.GetValue(dryRun))
                {
                    return report.IsIncomplete || !written ? ExitCode.Usage : report.Errors > 0 ? ExitCode.No : ExitCode.Good;
                }

                report = await CheckAsync(files, workload, ports, all, fetch);
            }

            report.Write(output, result.GetValue(format));
            return report.IsIncomplete || !written ? ExitCode.Usage : report.Errors > 0 ? ExitCode.No : ExitCode.Good;
        });
        return command;
    }

    private static Task<IReadOnlyList<Problem>> NothingFetched { get; } = Task.FromResult<IReadOnlyList<Problem>>([]);

    private static async Task<ProblemReport> CheckAsync(
        FileResourceSourceOptions files, WorkloadIdentity workload, PortMap ports, ConfigurationCheck[] checks, Func<ResourceSet, Task<IReadOnlyList<Problem>>> fetch)
    {
        var set = new FileResourceSource(files, TimeProvider.System).Load();
        if (set.Mesh.RootNamespace is { } root)
        {
            workload = workload with { RootNamespace = root };
        }

        return new(
            [.. set.Problems, .. ResourceSetValidator.Validate(set, workload), .. checks.SelectMany(check => check(set, workload, ports)), .. await fetch(set)],
            set.All.Length);
    }
}
