using System.CommandLine;
using System.Net;
using Portcullis.Gateway;
using Portcullis.Gateway.Limits;
using Portcullis.Gateway.Listeners;

namespace Portcullis.Commands;

/// <summary><c>portcullis run</c>: starts the gateway and serves until it is told to stop.</summary>
internal static class RunCommand
{
    private const int DefaultStatusPort = 15021;
    private const int DefaultStatsPort = 15090;
    private const int MaxDecisions = 100_000;
    private const string DefaultAdmin = "127.0.0.1:15000";

    public static Command Create()
    {
        var gateway = new GatewayArguments();
        var status = new Option<int?>("--status-port")
        {
            Description = $"Port of /healthz/ready, on every address; the start fails if it cannot be bound. Default: {DefaultStatusPort} on loopback. 0: the system chooses.",
            HelpName = "PORT",
        };
        var stats = new Option<int?>("--stats-port")
        {
            Description = $"Port of /stats/prometheus, on every address. Default: {DefaultStatsPort} on loopback.",
            HelpName = "PORT",
        };
        var admin = new Option<string?>("--admin")
        {
            Description = $"Address of the admin API, or `off`. Default: {DefaultAdmin}; loopback only unless you say otherwise.",
            HelpName = "ADDRESS:PORT",
        };
        var decisions = new Option<int>("--decisions")
        {
            Description = "How many refused, and as many allowed, decisions are kept for `explain --id`; no token is. 0: none.",
            HelpName = "N",
            DefaultValueFactory = _ => 1000,
        };
        decisions.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > MaxDecisions)
            {
                result.AddError($"--decisions: {result.Tokens[0].Value} is not between 0 and {MaxDecisions}");
            }
        });
        var keys = new KeyFetchArguments();
        var drain = new Option<int>("--drain-seconds")
        {
            Description = "How long requests in flight may take to finish after SIGTERM.",
            HelpName = "SECONDS",
            DefaultValueFactory = _ => 45,
        };
        var reusePort = new Option<bool>("--reuse-port")
        {
            Description = "Let another gateway of the same user listen on the same ports, to take them over without a lost request.",
        };
        var limits = new Option<GatewayLimits>("--limit")
        {
            Description = $"What clients may take; repeatable. NAME is one of {string.Join(", ", LimitSettings.Names)}.",
            HelpName = "NAME=VALUE",
            AllowMultipleArgumentsPerToken = false,
            Arity = ArgumentArity.OneOrMore,
            DefaultValueFactory = _ => new GatewayLimits(),
            CustomParser = static result =>
            {
                if (!LimitSettings.TryParse(result.Tokens.Select(t => t.Value), out var read, out var error))
                {
                    result.AddError($"--limit: {error}");
                }

                return read;
            },
        };
        var upstream = new Option<UpstreamClient>("--upstream")
        {
            Description = "What carries requests to backends over HTTP/1.1 in clear: the gateway's own client, or YARP's, as it carries all others.",
            DefaultValueFactory = _ => new GatewayOptions { Paths = [] }.Upstream,
        };
        var logFormat = LogOptions.Format();
        var logLevel = LogOptions.Level();

        var command = new Command("run", """
            Start the gateway.

            Examples:
              portcullis run -f config/
              portcullis run -f config/ --mesh-config mesh.yaml --port 80=8080
              portcullis run -f gateway.yaml -f policies/ --log-format json
              portcullis run -f config/ --state-dir /var/lib/portcullis --jwks-ca private-ca.pem --jwks-block 10.0.0.0/8
            """);
        gateway.AddTo(command);
        foreach (var option in new Option[] { status, stats, admin, decisions, drain, reusePort, limits, upstream, logFormat, logLevel })
        {
            command.Options.Add(option);
        }

        keys.AddTo(command);

        command.SetAction(async (result, cancellationToken) =>
        {
            InlineSockets.Prefer();
            if (!TryEndpoint(result.GetValue(admin) ?? DefaultAdmin, result.GetValue(admin) is null, out var adminEndpoint, out var error))
            {
                await result.InvocationConfiguration.Error.WriteLineAsync($"--admin: {error}");
                return ExitCode.Usage;
            }

            if (!keys.TryRead(result, out var keyFetching, out var warning, out error))
            {
                await result.InvocationConfiguration.Error.WriteLineAsync(error);
                return ExitCode.Usage;
            }

            if (warning is not null)
            {
                await result.InvocationConfiguration.Error.WriteLineAsync($"environment: {warning}");
            }

            var options = new GatewayOptions
            {
                Paths = [.. result.GetRequiredValue(gateway.Paths)],
                MeshConfigFile = result.GetValue(gateway.MeshConfig),
                Workload = gateway.Workload(result),
                Ports = gateway.PortMap(result),
                Status = Port(result.GetValue(status), DefaultStatusPort),
                Stats = Port(result.GetValue(stats), DefaultStatsPort),
                Admin = adminEndpoint,
                DecisionCapacity = result.GetValue(decisions),
                KeyFetching = keyFetching,
                TokenCacheBytes = keys.TokenCacheBytes(result),
                Limits = result.GetRequiredValue(limits),
                SharesPorts = result.GetValue(reusePort),
                Upstream = result.GetValue(upstream),
                DrainTime = TimeSpan.FromSeconds(result.GetValue(drain)),
            };
            using var loggers = LogOptions.CreateFactory(result.GetValue(logFormat), result.GetValue(logLevel));
            return await GatewayRunner.RunAsync(options, loggers, result.InvocationConfiguration.Error, started: null, cancellationToken);
        });
        return command;
    }

    /// <summary>A port that was asked for is reachable from outside, as a probe or scraper needs it; a default one is not.</summary>
    private static ControlEndpoint Port(int? asked, int fallback) => asked is { } port
        ? new(new IPEndPoint(IPAddress.Any, port), IsDefault: false)
        : new(new IPEndPoint(IPAddress.Loopback, fallback), IsDefault: true);

    private static bool TryEndpoint(string text, bool isDefault, out ControlEndpoint? endpoint, out string error)
    {
        (endpoint, error) = (null, "");
        if (text is "off")
        {
            return true;
        }

        if (IPEndPoint.TryParse(text, out var parsed))
        {
            endpoint = new ControlEndpoint(parsed, isDefault);
            return true;
        }

        error = $"`{text}` is not an address with a port; write for example {DefaultAdmin}, or `off`";
        return false;
    }
}
