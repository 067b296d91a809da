using System.Collections.Immutable;
using Portcullis.Policy;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>Finds the external authorizers of a configuration, and says which of them cannot be asked (authorization.md §10).</summary>
public static class CustomProviders
{
    /// <summary>Istio's switch, a Go boolean: several different providers may serve one gateway. Off by default.</summary>
    public const string SeveralProvidersVariable = "PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS";

    /// <summary>Reads the switch. What is no Go boolean leaves it off.</summary>
    /// <param name="read">Reads an environment variable.</param>
    /// <param name="problem">What is wrong with the value.</param>
    public static bool AllowsSeveral(Func<string, string?> read, out string? problem)
    {
        ArgumentNullException.ThrowIfNull(read);
        problem = null;
        switch (read(SeveralProvidersVariable))
        {
            case "1" or "t" or "T" or "TRUE" or "true" or "True":
                return true;
            case null or "" or "0" or "f" or "F" or "FALSE" or "false" or "False":
                return false;
            case var text:
                problem = $"{SeveralProvidersVariable}: `{text}` is not a boolean; write true or false";
                return false;
        }
    }

    /// <summary>Reads the switch from the environment of this process.</summary>
    public static bool AllowsSeveral() => AllowsSeveral(Environment.GetEnvironmentVariable, out _);

    /// <summary>The providers of the CUSTOM policies that are attached to the workload and in force, in the order of their names.</summary>
    /// <param name="resources">All resources.</param>
    /// <param name="workload">The gateway.</param>
    /// <param name="routing">The same resources, compiled.</param>
    /// <param name="allowsSeveral">Whether different providers may serve one gateway; otherwise none of them is asked.</param>
    public static ImmutableArray<CustomProvider> Resolve(ResourceSet resources, WorkloadIdentity workload, RoutingSnapshot routing, bool allowsSeveral)
    {
        ArgumentNullException.ThrowIfNull(resources);
        ArgumentNullException.ThrowIfNull(routing);
        ImmutableArray<CustomProvider> found =
        [
            .. resources.OfType<AuthorizationPolicy>()
                .Where(p => p.Action == PolicyAction.Custom && !Authorizer.IsDryRun(p) && PolicyAttachment.AppliesTo(p, p.Selection, workload))
                .GroupBy(p => p.ProviderName ?? "", StringComparer.Ordinal)
                .OrderBy(g => g.Key, StringComparer.Ordinal)
                .Select(g => Resolve(g.Key, [.. g], resources.Mesh, routing)),
        ];
        if (found.Length < 2 || allowsSeveral)
        {
            return found;
        }

        var names = string.Join(", ", found.Select(p => $"`{p.Name}`"));
        return
        [
            .. found.Select(p => p.Unusable is not null ? p : p with
            {
                Cluster = null,
                Unusable = $"the CUSTOM policies of this gateway name different providers ({names}), and only one is allowed",
                ProblemCode = ProblemCodes.Conflict,
                Remedy = $"let all of them name the same provider, or set {SeveralProvidersVariable}=true in the gateway's environment",
            }),
        ];
    }

    /// <summary>Reports, at each policy that names one, the providers that cannot be asked.</summary>
    public static void Report(IEnumerable<CustomProvider> providers, ProblemSeverity severity, ICollection<Problem> problems)
    {
        ArgumentNullException.ThrowIfNull(providers);
        ArgumentNullException.ThrowIfNull(problems);
        foreach (var provider in providers)
        {
            if (provider.Unusable is not { } reason)
            {
                continue;
            }

            foreach (var policy in provider.Policies)
            {
                problems.Add(Problem.At(
                    policy,
                    "spec.provider.name",
                    severity,
                    provider.ProblemCode,
                    $"the external authorizer `{provider.Name}` cannot be asked: {reason}; every request that the policy matches is denied",
                    provider.Remedy));
            }
        }
    }

    private static CustomProvider Resolve(string name, ImmutableArray<AuthorizationPolicy> policies, MeshConfig mesh, RoutingSnapshot routing)
    {
        var provider = new CustomProvider { Name = name, Policies = policies, Settings = mesh.ExtensionProviders.FirstOrDefault(p => p.Name == name) };
        if (provider.Settings is not { } settings)
        {
            return provider with
            {
                Unusable = "the mesh configuration has no such provider in `extensionProviders`",
                Remedy = mesh.ExtensionProviders.IsEmpty
                    ? "give the mesh configuration with --mesh-config"
                    : $"its providers: {string.Join(", ", mesh.ExtensionProviders.Select(p => p.Name))}",
            };
        }

        if (!routing.Authorizers.TryGetValue(name, out var place) || place.Cluster is not { } cluster)
        {
            return provider with { Unusable = place?.Reason ?? "its service is unknown", Remedy = place?.Remedy };
        }

        if (cluster.Policy.Tls is not null)
        {
            return provider with
            {
                Unusable = $"a DestinationRule asks for TLS to `{cluster.Host}`, which this version does not speak to authorizers",
                ProblemCode = ProblemCodes.Unsupported,
                Remedy = "remove `trafficPolicy.tls` for it, or put TLS in front of it",
            };
        }

        var headers = AdditionalHeaders(settings, out var error);
        return error is null
            ? provider with { Cluster = cluster, AdditionalHeaders = headers }
            : provider with { Unusable = error, ProblemCode = ProblemCodes.InvalidValue, Remedy = "correct `includeAdditionalHeadersInCheck`" };
    }

    private static ImmutableArray<KeyValuePair<string, HeaderTemplate>> AdditionalHeaders(ExtensionProvider settings, out string? error)
    {
        error = null;
        var headers = ImmutableArray.CreateBuilder<KeyValuePair<string, HeaderTemplate>>();
        foreach (var (name, value) in settings.IncludeAdditionalHeadersInCheck.OrderBy(h => h.Key, StringComparer.Ordinal))
        {
            if (AuthorizerHeaders.IsProtected(name))
            {
                error = $"the header `{name}` cannot be set on a check";
            }
            else if (!HeaderTemplate.TryParse(value, out var template, out var reason))
            {
                error = $"`includeAdditionalHeadersInCheck`, header `{name}`: {reason}";
            }
            else
            {
                headers.Add(new(name, template));
            }
        }

        return headers.ToImmutable();
    }
}
