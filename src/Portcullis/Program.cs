using System.CommandLine;
using Portcullis.Commands;

var root = new RootCommand("Portcullis: an identity-aware ingress gateway that reads Istio resources.")
{
    RunCommand.Create(),
    DemoCommand.Create(),
    HttpBinCommand.Create(),
};

// The gateway drains on SIGTERM by itself, for as long as it was given; the command line must not cut that short.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
