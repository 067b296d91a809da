using System.CommandLine;
using System.Net;
using Portcullis.HttpBin;

namespace Portcullis.Commands;

/// <summary><c>portcullis httpbin</c>: serves the test backend until it is stopped.</summary>
internal static class HttpBinCommand
{
    /// <summary>The port of the guide's httpbin Service.</summary>
    private const int DefaultPort = 8000;

    /// <summary>How long requests in flight may take to finish after Ctrl+C or SIGTERM.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var port = new Option<int>("--port", "-p")
        {
            Description = "TCP port; 0 takes a free one.",
            DefaultValueFactory = _ => DefaultPort,
        };
        port.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > ushort.MaxValue)
            {
                result.AddError("--port: is from 0 to 65535");
            }
        });
        var host = new Option<IPAddress>("--host")
        {
            Description = "Address to listen on; 0.0.0.0 lets other machines in.",
            DefaultValueFactory = _ => IPAddress.Loopback,
            CustomParser = result =>
            {
                if (result.Tokens is [{ Value: var text }])
                {
                    if (text == "localhost")
                    {
                        return IPAddress.Loopback;
                    }

                    if (IPAddress.TryParse(text, out var address))
                    {
                        return address;
                    }
                }

                result.AddError("--host: is an IP address of this machine, as 127.0.0.1 or 0.0.0.0");
                return null;
            },
        };

        var command = new Command("httpbin", """
            Serve the test backend: it tells what it received (/get, /anything, /headers) and answers as asked (/status/503, /delay/2).

            Examples:
              portcullis httpbin --port 8000
              portcullis httpbin --port 0 --host 0.0.0.0
              curl http://127.0.0.1:8000/anything?a=1
            """)
        {
            port,
            host,
        };
        command.SetAction((result, cancellationToken) => RunAsync(
            new IPEndPoint(result.GetValue(host)!, result.GetValue(port)),
            result.InvocationConfiguration.Output,
            result.InvocationConfiguration.Error,
            cancellationToken));
        return command;
    }

    /// <summary>Prints the address really bound on standard output, once it answers there.</summary>
    internal static async Task<int> RunAsync(IPEndPoint endPoint, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        HttpBinServer server;
        try
        {
            server = await HttpBinServer.StartAsync(endPoint, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or System.Net.Sockets.SocketException)
        {
            await error.WriteLineAsync($"httpbin: cannot listen on {endPoint}: {failure.Message} Take another one with --port, or 0 for any free one.").ConfigureAwait(false);
            return 1;
        }

        await using (server.ConfigureAwait(false))
        {
            await output.WriteLineAsync(server.BaseAddress.ToString()).ConfigureAwait(false);
            await output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            await error.WriteLineAsync("httpbin is listening; Ctrl+C stops it").ConfigureAwait(false);

            var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using var registration = cancellationToken.Register(stopped.SetResult);
            await stopped.Task.ConfigureAwait(false);

            using var grace = new CancellationTokenSource(Grace);
            await server.StopAsync(grace.Token).ConfigureAwait(false);
        }

        return 0;
    }
}
