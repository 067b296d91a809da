using System.CommandLine;
using Portcullis.Commands;

var root = new RootCommand("Portcullis: an identity-aware ingress gateway that reads Istio resources.")
{
    RunCommand.Create(),
    DemoCommand.Create(),
    CheckCommand.Create(CompileCheck.Run, (set, _, _) => AnnotationCheck.Run(set), AnalysisCheck.Run),
    ExplainCommand.Create(),
    DecisionsCommand.Create(),
    TestCommand.Create(),
    JwkCommand.Create(),
    JwtCommand.Create(),
    JwsCommand.Create(),
    HttpBinCommand.Create(),
    CompletionCommand.Create(),
};

ExampleHelp.UseFor(root);
var result = root.Parse(args);
// The gateway drains on SIGTERM by itself, for as long as it was given; the command line must not cut that short.
var exitCode = await result.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
return result.Errors.Count == 0 ? exitCode : ExitCode.Usage;
