using System.CommandLine;
using Portcullis.Commands;

var root = new RootCommand("Portcullis: an identity-aware ingress gateway that reads Istio resources.")
{
    HttpBinCommand.Create(),
};

return await root.Parse(args).InvokeAsync();
