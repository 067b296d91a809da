using Portcullis.Resources.Reading;

namespace Portcullis.Resources.Analysis;

/// <summary>Gateways that are not for this gateway, and servers that take each other's port or host (routing.md §1.6).</summary>
internal static class ListenerAnalysis
{
    public static void Run(ResourceIndex index, List<Problem> problems)
    {
        var ports = new Dictionary<(int Port, string Bind), (string Family, Gateway Gateway, int Server)>();
        var hosts = new Dictionary<(int Port, string Bind, string Host), (Gateway Gateway, int Server)>();
        foreach (var gateway in index.Set.OfType<Gateway>())
        {
            if (!index.Selects(gateway.Selector))
            {
                problems.Add(Problem.At(gateway, "spec.selector", ProblemSeverity.Note, ProblemCodes.NotSelected,
                    $"the selector does not select this gateway ({Show(index.Workload.Labels)})", "change the selector, or start the gateway with --labels"));
                continue;
            }

            for (var i = 0; i < gateway.Servers.Length; i++)
            {
                var server = gateway.Servers[i];
                var key = (server.Port.Number, server.Bind ?? "");
                var family = Protocols.IsPlainHttp(server.Port.Protocol) ? "HTTP" : Protocols.IsTls(server.Port.Protocol) ? "TLS" : "TCP";
                if (!ports.TryGetValue(key, out var first))
                {
                    ports[key] = (family, gateway, i);
                }
                else if (first.Family != family || family == "TCP")
                {
                    problems.Add(Problem.At(gateway, $"spec.servers[{i}].port", ProblemSeverity.Error, ProblemCodes.Conflict,
                        $"port {server.Port.Number} is {first.Family} already, by {At(first.Gateway, $"spec.servers[{first.Server}].port")}; this {family} server is not served",
                        "use another port, or one protocol for both"));
                    continue;
                }

                Hosts(gateway, i, key, hosts, problems);
                Credentials(index, gateway, i, problems);
            }
        }
    }

    private static void Hosts(Gateway gateway, int i, (int Port, string Bind) key, Dictionary<(int, string, string), (Gateway Gateway, int Server)> hosts, List<Problem> problems)
    {
        var server = gateway.Servers[i];
        for (var h = 0; h < server.Hosts.Length; h++)
        {
            var host = server.Hosts[h];
            var slash = host.IndexOf('/', StringComparison.Ordinal);
            var name = host[(slash + 1)..];

            // `./x` means another namespace in another Gateway: only what means the same is a conflict.
            var scope = slash < 0 || host[..slash] == "*" ? "" : host[..slash] == "." ? gateway.Metadata.Namespace : host[..slash];
            var isTls = Protocols.IsTls(server.Port.Protocol);
            if (hosts.TryAdd((key.Port, key.Bind, isTls ? name : $"{scope}/{name}"), (gateway, i)))
            {
                continue;
            }

            var first = hosts[(key.Port, key.Bind, isTls ? name : $"{scope}/{name}")];
            if (first.Gateway.Id == gateway.Id && !isTls)
            {
                continue;
            }

            problems.Add(Problem.At(gateway, $"spec.servers[{i}].hosts[{h}]", ProblemSeverity.Error, ProblemCodes.Conflict,
                $"the host `{name}` on port {key.Port} is served by {At(first.Gateway, $"spec.servers[{first.Server}].hosts")} already"
                + (isTls ? "; this whole server is not served" : "; both share one route table"),
                isTls ? "give each TLS host to one server" : "keep the host in one Gateway, and bind the VirtualServices to it"));
        }
    }

    private static void Credentials(ResourceIndex index, Gateway gateway, int i, List<Problem> problems)
    {
        if (gateway.Servers[i].Tls is not { Mode: ServerTlsMode.Simple or ServerTlsMode.Mutual or ServerTlsMode.OptionalMutual } tls)
        {
            return;
        }

        Check(tls.CredentialName, "credentialName");
        for (var n = 0; n < tls.CredentialNames.Length; n++)
        {
            Check(tls.CredentialNames[n], $"credentialNames[{n}]");
        }

        Check(tls.CaCertCredentialName, "caCertCredentialName");

        void Check(string? name, string field)
        {
            var ns = index.Workload.Namespace;
            if (string.IsNullOrEmpty(name) || index.HasSecret(ns, name))
            {
                return;
            }

            var elsewhere = index.SecretElsewhere(ns, name);
            problems.Add(Problem.At(gateway, $"spec.servers[{i}].tls.{field}", ProblemSeverity.Error, ProblemCodes.DanglingReference,
                $"secret {ns}/{name} not found; TLS handshakes for this server fail",
                elsewhere is null ? $"add the Secret to the gateway's namespace `{ns}`" : $"the Secret is looked up in the gateway's namespace `{ns}`, not in `{elsewhere}`; move it"));
        }
    }

    private static string At(Resource resource, string path) =>
        resource.Origin.Locate(path) is { } p ? $"{resource.Id} ({resource.Origin.Source}:{p.Line}:{p.Column})" : resource.Id.ToString();

    private static string Show(IEnumerable<KeyValuePair<string, string>> labels) =>
        string.Join(",", labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}"));
}
