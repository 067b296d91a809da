using System.CommandLine;

var root = new RootCommand("Portcullis: an identity-aware ingress gateway that reads Istio resources.");

return await root.Parse(args).InvokeAsync();
