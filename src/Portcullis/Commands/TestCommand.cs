using System.Collections.Immutable;
using System.CommandLine;
using System.Text;
using System.Text.RegularExpressions;
using Portcullis.Explaining;
using Portcullis.Gateway;
using Portcullis.Gateway.PolicyTests;
using Portcullis.Resources;
using Portcullis.Resources.PolicyTests;
using Portcullis.Testing;

namespace Portcullis.Commands;

/// <summary><c>portcullis test</c>: runs policy tests.</summary>
internal static class TestCommand
{
    private static readonly TimeSpan FilterTimeout = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var gateway = new GatewayArguments();
        var tests = new Argument<string[]>("tests") { Description = "Files of policy tests, and folders with such files.", HelpName = "TESTS", Arity = ArgumentArity.ZeroOrMore };
        var filter = new Option<string?>("--filter") { Description = "Run only the tests whose name holds this text, case ignored; `*` stands for anything.", HelpName = "TEXT" };
        var minCoverage = new Option<double?>("--min-coverage") { Description = "Fail when the tests exercise less than this of the policies, in percent.", HelpName = "PERCENT" };
        var coverage = new Option<CoverageDetail>("--coverage")
        {
            Description = "How much of the coverage is shown: none, summary, or full with everything that no test exercises.",
            HelpName = "none|summary|full",
            DefaultValueFactory = _ => CoverageDetail.Full,
        };
        var output = new Option<string>("--output", "-o") { Description = "text, json for programs, or junit for build servers.", HelpName = "text|json|junit", DefaultValueFactory = _ => "text" };
        output.AcceptOnlyFromAmong("text", "json", "junit");
        var junit = new Option<string?>("--junit") { Description = "Also write JUnit XML to this file.", HelpName = "FILE" };
        var watch = new Option<bool>("--watch") { Description = "Run again whenever a resource or a test changes, until interrupted." };
        var scaffold = new Option<bool>("--scaffold") { Description = "Write tests for the policies to standard output: for each rule a request that matches it and one beside it." };
        var command = new Command("test", """
            Run policy tests: requests in YAML with what has to become of them. Nothing is sent, and no keys are needed: tests make their own tokens from
            claims. Tells which policies, rules and clauses no test exercises. docs/reference/policy-tests.md has the format.

            Exit code 0: all hold. 1: a test failed, or the coverage is below --min-coverage. 2: wrong usage, or a file that cannot be used.

            Examples:
              portcullis test -f config/ policy-tests.yaml
              portcullis test -f config/ --mesh-config mesh.yaml tests/ --junit results.xml --min-coverage 80
              portcullis test -f config/ policy-tests.yaml --filter 'admin*' --coverage none
              portcullis test -f config/ policy-tests.yaml --watch
              portcullis test -f config/ --scaffold > policy-tests.yaml
            """);
        command.Arguments.Add(tests);
        gateway.AddTo(command);
        foreach (var option in new Option[] { filter, minCoverage, coverage, output, junit, watch, scaffold })
        {
            command.Options.Add(option);
        }

        // `-f PATH… TESTS…` must leave the tests to the argument.
        gateway.Paths.AllowMultipleArgumentsPerToken = false;
        command.Validators.Add(result =>
        {
            if (result.GetValue(scaffold) == (result.GetValue(tests) is { Length: > 0 }))
            {
                result.AddError(result.GetValue(scaffold)
                    ? "--scaffold writes tests and runs none; leave the files of tests away"
                    : "say where the tests are: portcullis test -f config/ policy-tests.yaml; --scaffold writes a first file");
            }

            if (result.GetValue(minCoverage) is < 0 or > 100)
            {
                result.AddError("--min-coverage is a percentage, from 0 to 100");
            }
        });
        command.SetAction(async (result, cancellationToken) =>
        {
            var options = new GatewayOptions
            {
                Paths = [.. result.GetRequiredValue(gateway.Paths)],
                MeshConfigFile = result.GetValue(gateway.MeshConfig),
                Workload = gateway.Workload(result),
                Ports = gateway.PortMap(result),
            };
            var run = new Run(
                Filter(result.GetValue(filter)),
                result.GetRequiredValue(output),
                result.GetValue(junit),
                result.GetValue(coverage),
                result.GetValue(minCoverage),
                result.InvocationConfiguration.Output,
                result.InvocationConfiguration.Error);
            string[] paths = result.GetValue(tests) ?? [];
            if (result.GetValue(scaffold))
            {
                return run.Scaffold(await OfflinePolicyTests.LoadAsync(options, [], cancellationToken));
            }

            return result.GetValue(watch)
                ? await WatchAsync(options, [.. paths], run, cancellationToken)
                : run.Once(await OfflinePolicyTests.LoadAsync(options, [.. paths], cancellationToken));
        });
        return command;
    }

    private static async Task<int> WatchAsync(GatewayOptions options, ImmutableArray<string> paths, Run run, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var tests in OfflinePolicyTests.WatchAsync(options, paths, cancellationToken))
            {
                run.Once(tests);
                await run.Error.WriteLineAsync("watching for changes; stop with Ctrl+C");
            }
        }
        catch (OperationCanceledException)
        {
            // That is how watching ends.
        }

        return ExitCode.Good;
    }

    private static Func<PolicyTest, bool>? Filter(string? text)
    {
        if (text is null)
        {
            return null;
        }

        var pattern = new Regex(Regex.Escape(text).Replace(@"\*", ".*", StringComparison.Ordinal), RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, FilterTimeout);
        return test => pattern.IsMatch(test.Name);
    }

    /// <summary>How one run is reported.</summary>
    private sealed record Run(
        Func<PolicyTest, bool>? Filter, string Format, string? JUnitFile, CoverageDetail Coverage, double? MinCoverage, TextWriter Output, TextWriter Error)
    {
        public int Scaffold(OfflinePolicyTests tests)
        {
            if (Ready(tests) is not { } runner)
            {
                return ExitCode.Usage;
            }

            Output.Write(runner.Scaffold(TimeProvider.System.GetUtcNow()));
            return ExitCode.Good;
        }

        public int Once(OfflinePolicyTests tests)
        {
            if (Ready(tests) is not { } runner)
            {
                return ExitCode.Usage;
            }

            var report = runner.Run(tests.Suites, TimeProvider.System, Filter);
            Print(report);
            if (JUnitFile is not null && !TryWriteJUnit(report))
            {
                return ExitCode.Usage;
            }

            if (report.Passed + report.Failed + report.Skipped == 0)
            {
                Error.WriteLine("test: no test was run");
                return ExitCode.Usage;
            }

            if (MinCoverage is { } least && report.Coverage.Percent < least)
            {
                Error.WriteLine($"test: the coverage of {PolicyTestCoverage.Format(report.Coverage.Percent)} % is below the {PolicyTestCoverage.Format(least)} % asked for");
                return ExitCode.No;
            }

            return report.Failed > 0 ? ExitCode.No : ExitCode.Good;
        }

        private PolicyTestRunner? Ready(OfflinePolicyTests tests)
        {
            foreach (var problem in tests.Problems.Where(p => p.Severity == ProblemSeverity.Error))
            {
                Error.WriteLine(problem);
            }

            if (tests.Runner is null)
            {
                Error.WriteLine("test: nothing was run; see above");
            }

            return tests.Runner;
        }

        private void Print(PolicyTestReport report)
        {
            switch (Format)
            {
                case "json":
                    Output.WriteLine(PolicyTestJson.Format(report));
                    break;
                case "junit":
                    PolicyTestJUnit.Write(Output, report);
                    break;
                default:
                    new PolicyTestText(TextConsole.For(Output)).Write(report, Coverage);
                    break;
            }
        }

        private bool TryWriteJUnit(PolicyTestReport report)
        {
            try
            {
                using var file = new StreamWriter(JUnitFile!, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
                PolicyTestJUnit.Write(file, report);
                return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Error.WriteLine($"test: {JUnitFile} cannot be written: {e.Message}");
                return false;
            }
        }
    }
}
