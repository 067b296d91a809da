using Portcullis.FunctionalTests.Support;
using Portcullis.Gateway.Jwks;
using Portcullis.Jose;
using Portcullis.TestSupport;

namespace Portcullis.FunctionalTests.Authentication;

/// <summary>What the tests of remote keys share.</summary>
internal static class RemoteKeys
{
    public static readonly TimeSpan Never = TimeSpan.FromDays(1);

    /// <summary>Fetching with waits that a test can sit out.</summary>
    public static InProcessOptions Refreshing(TimeSpan interval, string? stateDirectory = null) => new()
    {
        KeyFetching = new JwksFetchOptions
        {
            RefreshInterval = interval,
            BackoffInitial = TimeSpan.FromMilliseconds(100),
            BackoffMaximum = TimeSpan.FromMilliseconds(200),
            EmptyBackoffInitial = TimeSpan.FromMilliseconds(100),
            EmptyBackoffMaximum = TimeSpan.FromMilliseconds(200),
            StateDirectory = stateDirectory,
        },
    };

    public static TokenIssuer Issuer(string issuer, string keyId) => new(issuer, JsonWebKey.Generate(JwsAlgorithm.ES256, keyId));

    /// <summary>A policy with one rule for each issuer and URL; no URL asks for discovery.</summary>
    public static (string File, string Text) Policy(params IEnumerable<(string Issuer, string? Url, string Timeout)> rules) => ("jwt.yaml", $$"""
        apiVersion: security.istio.io/v1
        kind: RequestAuthentication
        metadata: {name: jwt, namespace: istio-system}
        spec:
          jwtRules:
        {{string.Join('\n', rules.Select(r => $"  - {{issuer: \"{r.Issuer}\", timeout: {r.Timeout}{(r.Url is null ? "" : $", jwksUri: \"{r.Url}\"")}}}"))}}
        """);
}
