using System.CommandLine;
using Portcullis.Gateway.Configuration;
using Portcullis.Matching;
using Portcullis.Policy.Diagnosis;
using Portcullis.Resources;

namespace Portcullis.Commands;

/// <summary><c>portcullis jwt verify -f</c>: what a configuration thinks of a token.</summary>
internal sealed class ConfiguredVerification
{
    private readonly Option<bool> _online = new("--online") { Description = "With -f: fetch the keys of jwksUri and OpenID discovery, as the gateway does." };

    private readonly Option<bool> _withoutToken = new("--without-token") { Description = "With -f: ask what becomes of a request that has no token." };

    private readonly Option<TokenCarrier> _in = new("--in")
    {
        Description = "With -f: where the client puts the token; in the Authorization header it stands after `Bearer `.",
        HelpName = "header:NAME[:PREFIX]|param:NAME|cookie:NAME",
        DefaultValueFactory = _ => TokenCarrier.Bearer,
        CustomParser = result =>
        {
            if (TokenCarrier.TryParse(result.Tokens[0].Value, out var carrier))
            {
                return carrier;
            }

            result.AddError($"--in: `{result.Tokens[0].Value}` is none of header:NAME, header:NAME:PREFIX, param:NAME, cookie:NAME");
            return null;
        },
    };

    private readonly Option<string> _method = new("--method") { Description = "With -f: method of the request that policies are asked about.", DefaultValueFactory = _ => "GET" };

    private readonly Option<Uri> _url = new("--url")
    {
        Description = "With -f: URL of the request that policies are asked about.",
        HelpName = "URL",
        DefaultValueFactory = _ => new("http://localhost/"),
        CustomParser = result =>
        {
            if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
            {
                return url;
            }

            result.AddError($"--url: `{result.Tokens[0].Value}` is no URL such as https://shop.example/cart");
            return null;
        },
    };

    public GatewayArguments Arguments { get; } = new();

    public void AddTo(Command command)
    {
        Arguments.AddTo(command);
        Arguments.Paths.Required = false;
        Arguments.Paths.AllowMultipleArgumentsPerToken = false; // what follows the path is the token
        command.Options.Add(_online);
        command.Options.Add(_withoutToken);
        command.Options.Add(_in);
        command.Options.Add(_method);
        command.Options.Add(_url);
    }

    public async Task<int> RunAsync(ParseResult result, string? token, DateTimeOffset now, bool asJson, CancellationToken cancellationToken)
    {
        var error = result.InvocationConfiguration.Error;
        var withoutToken = result.GetValue(_withoutToken);
        if (withoutToken && token is not null)
        {
            throw new InputException("--without-token: there is a token as well; leave out one of them");
        }

        var text = withoutToken ? null : InputText.ReadToken(token);
        var set = Load(result);
        foreach (var problem in set.Problems.Where(p => p.Severity == ProblemSeverity.Error))
        {
            await error.WriteLineAsync(problem.ToString());
        }

        if (set.Problems.Any(p => p.Code == ProblemCodes.Unreadable))
        {
            return ExitCode.Usage;
        }

        var workload = Arguments.Workload(result);
        string? settings = null;
        await using var fetch = result.GetValue(_online) ? new KeySetFetch(out settings) : null;
        if (settings is not null)
        {
            await error.WriteLineAsync(settings);
        }

        var diagnostician = new TokenDiagnostician(set, workload, fetch);
        if (fetch is not null)
        {
            await fetch.WaitAsync(cancellationToken);
        }

        var url = result.GetRequiredValue(_url);
        var method = result.GetRequiredValue(_method);
        if (!PathNormalizer.TryNormalizePath(url.AbsolutePath, Normalization(set.Mesh), out var path))
        {
            throw new InputException($"--url: the gateway refuses the path `{url.AbsolutePath}` with 400");
        }

        var diagnosis = diagnostician.Diagnose(
            new RequestSketch(method, url, path), text, result.GetRequiredValue(_in), location => fetch?.FailureOf(location), now);
        var report = new TokenDiagnosisReport(diagnosis, $"{method} {url.GetLeftPart(UriPartial.Path)}");
        await result.InvocationConfiguration.Output.WriteAsync(asJson ? report.ToJson() : report.ToText());
        return diagnosis.IsAccepted ? ExitCode.Good : ExitCode.No;
    }

    private ResourceSet Load(ParseResult result) => new FileResourceSource(
        new() { Paths = [.. result.GetRequiredValue(Arguments.Paths)], MeshConfigPath = result.GetValue(Arguments.MeshConfig) }, TimeProvider.System).Load();

    private static PathNormalization Normalization(MeshConfig mesh) => mesh.PathNormalization switch
    {
        PathNormalizationMode.None => PathNormalization.None,
        PathNormalizationMode.MergeSlashes => PathNormalization.MergeSlashes,
        PathNormalizationMode.DecodeAndMergeSlashes => PathNormalization.DecodeAndMergeSlashes,
        _ => PathNormalization.Base,
    };
}
