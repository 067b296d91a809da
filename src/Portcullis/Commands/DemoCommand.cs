using System.CommandLine;
using System.Globalization;
using System.Net;
using Portcullis.Demo;
using Portcullis.Gateway;
using Portcullis.Gateway.Listeners;
using Portcullis.HttpBin;
using Portcullis.Routing;

namespace Portcullis.Commands;

/// <summary><c>portcullis demo</c>: the guide, running, with tokens and curl lines to try.</summary>
internal static class DemoCommand
{
    private const int DefaultHttpBinPort = 8000;

    public static Command Create()
    {
        var folder = new Option<string>("--directory", "-d")
        {
            Description = "Folder to work in: made from the guide's sample with a fresh key pair, and kept.",
            HelpName = "FOLDER",
            DefaultValueFactory = _ => "portcullis-demo",
        };
        var port = new Option<int>("--gateway-port")
        {
            Description = "Port of the gateway. 0: the system chooses.",
            HelpName = "PORT",
            DefaultValueFactory = _ => 8080,
        };
        var backend = new Option<int>("--httpbin-port")
        {
            Description = "Port of the test backend, on loopback; written to config/endpoints.yaml at each start.",
            HelpName = "PORT",
            DefaultValueFactory = _ => DefaultHttpBinPort,
        };
        var logFormat = LogOptions.Format();
        var logLevel = LogOptions.Level();
        var command = new Command("demo", """
            Start httpbin and the gateway on the guide's configuration, and print tokens and curl lines to try.
            Edit a file below FOLDER/config and watch the gateway take it up.

            Examples:
              portcullis demo
              portcullis demo --gateway-port 9080 --httpbin-port 9000 --directory /tmp/demo
            """);
        foreach (var option in new Option[] { folder, port, backend, logFormat, logLevel })
        {
            command.Options.Add(option);
        }

        command.SetAction(async (result, cancellationToken) =>
        {
            InlineSockets.Prefer();
            var output = result.InvocationConfiguration.Output;
            var error = result.InvocationConfiguration.Error;
            try
            {
                await using var httpBin = await HttpBinServer.StartAsync(
                    new IPEndPoint(IPAddress.Loopback, result.GetRequiredValue(backend)), cancellationToken: cancellationToken);
                var workspace = DemoWorkspace.Open(result.GetRequiredValue(folder), httpBin.EndPoint.Port);
                var tokens = DemoTokens.Mint(workspace.Key, TimeProvider.System.GetUtcNow());
                PrivateFile.Write(workspace.TokensFile, tokens.ToShell(), overwrite: true);
                using var loggers = LogOptions.CreateFactory(result.GetValue(logFormat), result.GetValue(logLevel));
                return await GatewayRunner.RunAsync(
                    Options(workspace, result.GetRequiredValue(port)),
                    loggers,
                    error,
                    gateway => output.WriteAsync(DemoText.Render(workspace, tokens, gateway.Ports.Values.First())),
                    cancellationToken);
            }
            catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or InputException)
            {
                await error.WriteLineAsync($"demo: {e.Message.TrimEnd('.')}; choose other ports or another folder: portcullis demo --help");
                return ExitCode.Usage;
            }
        });
        return command;
    }

    private static GatewayOptions Options(DemoWorkspace workspace, int port)
    {
        var mapping = $"80={port.ToString(CultureInfo.InvariantCulture)}";
        return PortMap.TryParse([mapping], out var ports, out var error)
            ? new GatewayOptions
            {
                Paths = [workspace.ConfigFolder],
                MeshConfigFile = workspace.MeshConfigFile,
                Ports = ports,
                DrainTime = TimeSpan.FromSeconds(5),
            }
            : throw new InvalidDataException(error);
    }
}
