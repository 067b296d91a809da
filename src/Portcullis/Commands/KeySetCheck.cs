using Portcullis.Jose;
using Portcullis.Policy.Authentication;
using Portcullis.Policy.Diagnosis;
using Portcullis.Resources;

namespace Portcullis.Commands;

/// <summary><c>portcullis check --online</c>: whether the keys of every rule can be had now, each asked once as the gateway would ask.</summary>
internal static class KeySetCheck
{
    public static async Task<IReadOnlyList<Problem>> RunAsync(ResourceSet set, TextWriter error, CancellationToken cancellationToken)
    {
        await using var fetch = new KeySetFetch(out var settings);
        if (settings is not null)
        {
            await error.WriteLineAsync(settings);
        }

        var asked = new List<(RequestAuthentication Policy, int Rule, JwksSource Source, JwksLocation Location)>();
        foreach (var policy in set.OfType<RequestAuthentication>())
        {
            for (var i = 0; i < policy.JwtRules.Length; i++)
            {
                var recorder = new Recorder(fetch);
                JwtAuthenticator.Compile([policy with { JwtRules = [policy.JwtRules[i]] }], recorder, new(), []);
                if (recorder.Asked is var (location, source))
                {
                    asked.Add((policy, i, source, location));
                }
            }
        }

        await fetch.WaitAsync(cancellationToken);
        return [.. asked.SelectMany(a => Judge(a.Policy, a.Rule, a.Source, a.Location, fetch))];
    }

    private static IEnumerable<Problem> Judge(RequestAuthentication policy, int rule, JwksSource source, JwksLocation location, KeySetFetch fetch)
    {
        var field = $"spec.jwtRules[{rule}].{(location.JwksUri is null ? "issuer" : "jwksUri")}";
        var url = fetch.UrlOf(location);
        if (fetch.FailureOf(location) is { } failure)
        {
            yield return Problem.At(
                policy, field, ProblemSeverity.Error, ProblemCodes.UnusableKeys, $"no keys from `{url}`: {failure}", KeyServerExplanation.Remedy(failure));
            yield break;
        }

        foreach (var rejected in source.Current.Keys?.Rejected ?? [])
        {
            yield return Problem.At(
                policy, field, ProblemSeverity.Warning, ProblemCodes.UnusableKeys,
                $"key at index {rejected.Index} of `{url}` cannot be used: {rejected.Reason.Message}", "tokens signed by it are refused; the issuer has to publish it right");
        }
    }

    private sealed class Recorder(IJwksResolver inner) : IJwksResolver
    {
        public (JwksLocation Location, JwksSource Source)? Asked { get; private set; }

        public JwksSource Resolve(JwksLocation location)
        {
            var source = inner.Resolve(location);
            Asked = (location, source);
            return source;
        }
    }
}
