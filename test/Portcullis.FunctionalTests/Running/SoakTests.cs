using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Portcullis.FunctionalTests.Authentication;
using Portcullis.FunctionalTests.Support;
using Portcullis.TestSupport;

namespace Portcullis.FunctionalTests.Running;

/// <summary>
/// What <c>bench/soak/run.sh</c> does for a minute, in rounds: under load over TLS, every round changes the configuration, and some a backend's life, the
/// server's certificate or the issuer's keys. No answer may be wrong, and every failure must be explained by its response flag and a backend that was down.
/// </summary>
public sealed partial class SoakTests : IDisposable
{
    private const int Rounds = 18;
    private const int Workers = 8;
    private const string Host = "a.example.com";
    private const string Issuer = "https://soak.example";

    private readonly TestAuthority _authority = new();
    private readonly MortalBackend[] _backends = [new(), new(), new()];
    private readonly TokenIssuer[] _issuers = [.. Enumerable.Range(0, (Rounds / 4) + 3).Select(i => RemoteKeys.Issuer(Issuer, $"key-{i}"))];
    private string[][] _tokens = [];
    private int _key;
    private int _lowestKey;
    private int _live;
    private int _deaths; // odd while a backend is down
    private int _failures;
    private int _answers;

    [Fact]
    public async Task UnderLoad_WhileEverythingChanges_NoAnswerIsWrongAndEveryFailureIsExplained()
    {
        _tokens = [.. _issuers.Select(i => (string[])[i.Mint("alice"), i.Mint("bob")])];
        var certificate = _authority.Issue(Host);
        await using var gateway = await InProcessGateway.StartAsync(
            0,
            new() { HasGuide = false, Mesh = "accessLogFile: ${access-log}\naccessLogFormat: \"%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\\n\"\n" },
            ("base.yaml", Base()),
            ("routes.yaml", Routes(0)),
            ("keys.yaml", Keys(0)),
            ("secret.yaml", TestAuthority.Secret("web", certificate)));
        await using var old = await TlsClient.ConnectAsync(gateway.Port, Host);
        using var done = new CancellationTokenSource();
        var load = Enumerable.Range(0, Workers).Select(i => Task.Run(() => WorkAsync(gateway.Port, i, done.Token))).ToArray();

        MortalBackend? dead = null;
        for (var round = 1; round <= Rounds; round++)
        {
            if (round % 3 == 1)
            {
                Interlocked.Increment(ref _deaths);
                (dead = _backends[round % _backends.Length]).Die();
            }

            await gateway.ApplyAsync("routes.yaml", Routes(round));
            Volatile.Write(ref _live, round);
            if (round % 3 == 0)
            {
                dead!.Return();
                Interlocked.Increment(ref _deaths);
            }

            if (round % 4 == 0)
            {
                await RotateKeysAsync(gateway);
            }

            if (round % 5 == 0)
            {
                certificate = _authority.Issue(Host);
                await gateway.ApplyAsync("secret.yaml", TestAuthority.Secret("web", certificate));
                await using var fresh = await TlsClient.ConnectAsync(gateway.Port, Host);
                Assert.Equal(certificate.SerialNumber, (fresh.Stream.RemoteCertificate as X509Certificate2)!.SerialNumber);
            }

            await CheckAsync(() => _tokens[_key][0], 200, async token =>
            {
                var answer = await old.GetAsync(Host, isLast: false, $"Authorization: Bearer {token}");
                return (answer.Status, answer.Body);
            });
        }

        await done.CancelAsync();
        await Task.WhenAll(load);
        Assert.True(_answers > 10 * Workers * Rounds, $"only {_answers} answers");
        var lines = await gateway.StopAndReadAccessLogAsync();
        Assert.Equal(_failures, lines.Count(l => l.StartsWith('5')));
        Assert.All(lines.Where(l => l.StartsWith('5')), l => Assert.Matches(Explained(), l));
        Assert.DoesNotContain(lines, l => l.StartsWith("0 -", StringComparison.Ordinal));
        Assert.Equal(0, gateway.Log.Count("the gateway failed"));
    }

    public void Dispose()
    {
        foreach (var backend in _backends)
        {
            backend.Dispose();
        }

        _authority.Dispose();
    }

    /// <summary>A key is published before its first token, and withdrawn after its last, which then passes no more.</summary>
    private async Task RotateKeysAsync(InProcessGateway gateway)
    {
        Volatile.Write(ref _key, _key + 1);
        Volatile.Write(ref _lowestKey, _key);
        await gateway.ApplyAsync("keys.yaml", Keys(_key));
        Assert.Equal(401, (await TlsClient.GetAsync(gateway.Port, Host, Host, null, $"Authorization: Bearer {_tokens[_key - 1][0]}")).Status);
    }

    private async Task WorkAsync(int port, int number, CancellationToken done)
    {
        using var client = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
#pragma warning disable CA5359 // which certificate is shown is looked at elsewhere
            SslOptions = new() { TargetHost = Host, RemoteCertificateValidationCallback = static (_, _, _, _) => true },
#pragma warning restore CA5359
        });
        while (!done.IsCancellationRequested)
        {
            await ((number % 4) switch
            {
                0 => CheckAsync(() => _tokens[_key][0], 200, t => SendAsync("/one", t), "x-user: alice", "x-route: one"),
                1 => CheckAsync(() => _tokens[_key][1], 200, t => SendAsync("/two", t), "x-user: bob", "x-route: two"),
                2 => CheckAsync(() => _tokens[_key][1], 403, t => SendAsync("/closed", t), "RBAC: access denied"),
                _ => CheckAsync(() => "", 401, t => SendAsync("/one", t), "Jwt is missing"),
            });
        }

        async Task<(int Status, string Body)> SendAsync(string path, string token)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"https://127.0.0.1:{port}{path}");
            request.Headers.Host = Host;
            request.Headers.Authorization = token.Length == 0 ? null : new AuthenticationHeaderValue("Bearer", token);
            using var response = await client.SendAsync(request, CancellationToken.None);
            return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(CancellationToken.None));
        }
    }

    /// <summary>Sends, and holds the answer against what was so before the request and after it.</summary>
    private async Task CheckAsync(Func<string> token, int expected, Func<string, Task<(int Status, string Body)>> send, params string[] texts)
    {
        var key = Volatile.Read(ref _key);
        var (live, deaths) = (Volatile.Read(ref _live), Volatile.Read(ref _deaths));
        var (status, body) = await send(token());
        Interlocked.Increment(ref _answers);
        if (status == 503)
        {
            Interlocked.Increment(ref _failures);
            Assert.True(deaths % 2 == 1 || Volatile.Read(ref _deaths) != deaths, $"no backend was down: {body}");
            return;
        }

        if (status == 401 && expected != 401)
        {
            Assert.True(key < Volatile.Read(ref _lowestKey), $"the token's key is in force: {body}");
            return;
        }

        Assert.True(status == expected, $"{status} for {expected}: {body}");
        Assert.All(texts, t => Assert.Contains(t, body, StringComparison.Ordinal));
        if (status == 200)
        {
            Assert.InRange(int.Parse(Number().Match(body).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture), live, Volatile.Read(ref _live) + 1);
        }
    }

    private string Base() => $$"""
        apiVersion: v1
        kind: Service
        metadata: {name: backend, namespace: default}
        spec: {ports: [{name: http, port: 80}]}
        {{string.Concat(_backends.Select((b, i) => $$"""
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: backend-{{i}}, namespace: default, labels: {kubernetes.io/service-name: backend} }
        addressType: IPv4
        endpoints: [{addresses: [127.0.0.1]}]
        ports: [{name: http, port: {{b.Port}} }]

        """))}}
        ---
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: gw, namespace: istio-system}
        spec:
          selector: {istio: ingressgateway}
          servers: [{hosts: ['*'], port: {name: https, number: 80, protocol: HTTPS}, tls: {mode: SIMPLE, credentialName: web} }]
        ---
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: require-jwt, namespace: istio-system}
        spec: {rules: [{from: [{source: {requestPrincipals: ["{{Issuer}}/*"]} }] }] }
        ---
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: closed, namespace: istio-system}
        spec: {action: DENY, rules: [{to: [{operation: {paths: [/closed]} }] }] }
        """;

    private static string Routes(int number) => $$"""
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: all, namespace: istio-system}
        spec:
          gateways: [gw]
          hosts: ['*']
          http:
          - match: [{uri: {prefix: /two} }]
            headers: {request: {set: {x-soak: "{{number}}", x-route: two} } }
            route: [{destination: {host: backend.default.svc.cluster.local} }]
          - headers: {request: {set: {x-soak: "{{number}}", x-route: one} } }
            route: [{destination: {host: backend.default.svc.cluster.local} }]
        """;

    private string Keys(int first) => $$"""
        apiVersion: security.istio.io/v1
        kind: RequestAuthentication
        metadata: {name: jwt, namespace: istio-system}
        spec: {jwtRules: [{issuer: "{{Issuer}}", jwks: '{{TokenIssuer.JwksOf(_issuers[first..(first + 2)])}}', outputClaimToHeaders: [{header: x-user, claim: sub}]}]}
        """;

    [GeneratedRegex(@"x-soak: (\d+)")]
    private static partial Regex Number();

    [GeneratedRegex(@"^503 (UF|UC)(,URX)? upstream_reset_before_response_started\{")]
    private static partial Regex Explained();
}
