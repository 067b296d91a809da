using System.Collections.Immutable;

namespace Portcullis.Resources.Reading;

/// <summary>
/// Reads and validates AuthorizationPolicy (authorization.md §1, §7.1). Every check here stands between a slip of the pen and a DENY rule
/// without effect or an ALLOW rule without limit, so nothing is only a warning that would change what the policy lets through.
/// </summary>
internal static class AuthorizationPolicyReader
{
    private const int MaxItems = 512;

    public static Resource Read(ObjectReader root, ResourceHeader header) => root.ObjectOrEmpty("spec", spec =>
    {
        var selection = SelectionReader.Read(spec);
        var action = spec.Enumerated("action", PolicyAction.Allow,
            ("ALLOW", PolicyAction.Allow), ("DENY", PolicyAction.Deny), ("AUDIT", PolicyAction.Audit), ("CUSTOM", PolicyAction.Custom));
        var provider = spec.Object("provider", static r => new Provider(r.Text("name")));
        var rules = spec.List("rules", (r, i) => ReadRule(r, i, action), static i => $"`rule` must not be nil, found at rule {i}");
        var policy = new AuthorizationPolicy
        {
            ApiVersion = header.ApiVersion,
            Kind = header.Kind,
            Metadata = header.Metadata,
            Origin = header.Origin,
            Selection = selection,
            Action = action,
            ProviderName = provider?.Name,
            Rules = rules,
        };
        Check(spec, policy, provider);
        return policy;
    });

    private static void Check(ObjectReader spec, AuthorizationPolicy policy, Provider? provider)
    {
        if (policy.Action is PolicyAction.Custom or PolicyAction.Deny && (!spec.Has("rules") || spec.HasEmptyList("rules")))
        {
            var action = policy.Action is PolicyAction.Custom ? "CUSTOM" : "DENY";
            spec.At("rules").Error($"{action} action without `rules` is meaningless as it will never be triggered, add an empty rule `{{}}` if you want it be triggered for every request",
                "add rules, or remove the policy", ProblemCodes.MissingField);
        }

        if (policy.Action is PolicyAction.Custom && string.IsNullOrEmpty(provider?.Name))
        {
            spec.At("provider").Error("`provider.name` must not be empty", "name one of the mesh configuration's extensionProviders", ProblemCodes.MissingField);
        }
        else if (policy.Action is not PolicyAction.Custom && provider is not null)
        {
            spec.At("provider").Error($"`provider` must not be with non CUSTOM action, found {policy.Action.ToString().ToUpperInvariant()}", "set action: CUSTOM, or remove the provider");
        }

        TooMany(spec, "rules", policy.Rules.Length);
        if (policy.Action is PolicyAction.Deny && policy.Rules.Any(UsesOnlyHttp))
        {
            spec.At("rules").Note(
                "configured AuthorizationPolicy will deny all traffic to TCP ports under its scope due to the use of only HTTP attributes in a DENY rule; it is recommended to explicitly specify the port",
                "HTTP listeners are not affected", ProblemCodes.InvalidValue);
        }
    }

    private static AuthorizationRule ReadRule(ObjectReader reader, int index, PolicyAction action)
    {
        var from = reader.List("from", (r, _) => ReadFrom(r, index, action), _ => $"`from` must not be nil, found at rule {index}");
        var to = reader.List("to", (r, _) => ReadTo(r, index), _ => $"`to` must not be nil, found at rule {index}");
        var when = reader.List("when", (r, _) => ConditionReader.Read(r, action), _ => $"`when` must not be nil, found at rule {index}");
        NotEmpty(reader, "from", from.Length, index);
        NotEmpty(reader, "to", to.Length, index);
        TooMany(reader, "from", from.Length);
        return new AuthorizationRule { From = from, To = to, When = when };
    }

    private static void NotEmpty(ObjectReader reader, string field, int items, int index)
    {
        if (items == 0 && reader.HasEmptyList(field))
        {
            reader.At(field).Error($"`{field}` must not be empty, found at rule {index}", "remove it to mean any, or fill it in");
        }
    }

    private static void TooMany(ObjectReader reader, string field, int items)
    {
        if (items > MaxItems)
        {
            reader.At(field).Error($"must have at most {MaxItems} items", "split the policy");
        }
    }

    private static RequestSource ReadFrom(ObjectReader reader, int index, PolicyAction action)
    {
        if (!reader.Has("source"))
        {
            reader.Self.Error($"`from.source` must not be nil, found at rule {index}", "put the fields below `source:`", ProblemCodes.MissingField);
            reader.Accept("source");
            return new();
        }

        return reader.Object("source", r => ReadSource(r, index, action)) ?? new();
    }

    private static RequestSource ReadSource(ObjectReader reader, int index, PolicyAction action)
    {
        if (reader.IsEmpty)
        {
            reader.Self.Error($"`from.source` must not be empty, found at rule {index}", "remove the whole item to mean any source");
        }

        var source = new RequestSource
        {
            Principals = Values(reader, "principals", "Principals"),
            NotPrincipals = Values(reader, "notPrincipals", "NotPrincipals"),
            RequestPrincipals = Values(reader, "requestPrincipals", "RequestPrincipals"),
            NotRequestPrincipals = Values(reader, "notRequestPrincipals", "NotRequestPrincipals"),
            Namespaces = Values(reader, "namespaces", "Namespaces"),
            NotNamespaces = Values(reader, "notNamespaces", "NotNamespaces"),
            ServiceAccounts = Values(reader, "serviceAccounts", "ServiceAccounts", SourceValues.CheckServiceAccount),
            NotServiceAccounts = Values(reader, "notServiceAccounts", "NotServiceAccounts", SourceValues.CheckServiceAccount),
            IpBlocks = Values(reader, "ipBlocks", "IpBlocks", static (v, _, p) => Addresses.Check(v, p)),
            NotIpBlocks = Values(reader, "notIpBlocks", "NotIpBlocks", static (v, _, p) => Addresses.Check(v, p)),
            RemoteIpBlocks = Values(reader, "remoteIpBlocks", "RemoteIpBlocks", static (v, _, p) => Addresses.Check(v, p)),
            NotRemoteIpBlocks = Values(reader, "notRemoteIpBlocks", "NotRemoteIpBlocks", static (v, _, p) => Addresses.Check(v, p)),
            TrustDomains = Values(reader, "trustDomains", "TrustDomains", SourceValues.CheckTrustDomain),
            NotTrustDomains = Values(reader, "notTrustDomains", "NotTrustDomains", SourceValues.CheckTrustDomain),
        };
        SourceValues.CheckCount(reader, "serviceAccounts", source.ServiceAccounts.Length);
        SourceValues.CheckCount(reader, "notServiceAccounts", source.NotServiceAccounts.Length);
        if ((reader.Has("serviceAccounts") || reader.Has("notServiceAccounts"))
            && (reader.Has("principals") || reader.Has("notPrincipals") || reader.Has("namespaces") || reader.Has("notNamespaces")))
        {
            reader.At(reader.Has("serviceAccounts") ? "serviceAccounts" : "notServiceAccounts")
                .Error($"cannot set serviceAccounts with namespaces or principals, found at rule {index}", "write them in separate sources");
        }

        if (action is PolicyAction.Custom)
        {
            foreach (var field in SourceValues.NotWithCustom)
            {
                if (reader.Has(field))
                {
                    reader.At(field).Error($"From.{char.ToUpperInvariant(field[0])}{field[1..]} is currently not supported with CUSTOM action", "the external authorizer runs before any identity is known");
                }
            }
        }

        return source;
    }

    private static Operation ReadTo(ObjectReader reader, int index)
    {
        if (!reader.Has("operation"))
        {
            reader.Self.Error($"`to.operation` must not be nil, found at rule {index}", "put the fields below `operation:`", ProblemCodes.MissingField);
            reader.Accept("operation");
            return new();
        }

        return reader.Object("operation", r => ReadOperation(r, index)) ?? new();
    }

    private static Operation ReadOperation(ObjectReader reader, int index)
    {
        if (reader.IsEmpty)
        {
            reader.Self.Error($"`to.operation` must not be empty, found at rule {index}", "remove the whole item to mean any operation");
        }

        return new Operation
        {
            Hosts = Values(reader, "hosts", "Hosts"),
            NotHosts = Values(reader, "notHosts", "NotHosts"),
            Ports = Values(reader, "ports", "Ports", static (v, _, p) => Addresses.CheckPort(v, p)),
            NotPorts = Values(reader, "notPorts", "NotPorts", static (v, _, p) => Addresses.CheckPort(v, p)),
            Methods = Values(reader, "methods", "Methods"),
            NotMethods = Values(reader, "notMethods", "NotMethods"),
            Paths = Values(reader, "paths", "Paths", CheckPath),
            NotPaths = Values(reader, "notPaths", "NotPaths", CheckPath),
        };
    }

    private static void CheckPath(string path, string field, Place place)
    {
        if (PathTemplates.Wrong(path, field) is { } wrong)
        {
            place.Error(wrong, "use `{*}` for one segment, `{**}` once for the rest, or a plain prefix such as /admin/*");
        }
    }

    private static ImmutableArray<string> Values(ObjectReader reader, string field, string shown, Action<string, string, Place>? check = null)
    {
        var values = reader.Texts(field, (value, place) =>
        {
            if (value.Length == 0)
            {
                place.Error($"empty value not allowed, found in {shown}", "remove the item or fill it in");
            }
            else
            {
                check?.Invoke(value, shown, place);
            }
        });
        if (values.IsEmpty && reader.HasEmptyList(field))
        {
            // Istio takes an empty list for an absent one: the constraint that the author meant would be gone.
            reader.At(field).Error($"`{field}` is an empty list, which constrains nothing", "remove it, or fill it in");
        }

        return values;
    }

    private static bool UsesOnlyHttp(AuthorizationRule rule)
    {
        var http = rule.From.Any(s => !s.RequestPrincipals.IsEmpty || !s.NotRequestPrincipals.IsEmpty)
            || rule.To.Any(o => !o.Hosts.IsEmpty || !o.NotHosts.IsEmpty || !o.Methods.IsEmpty || !o.NotMethods.IsEmpty || !o.Paths.IsEmpty || !o.NotPaths.IsEmpty)
            || rule.When.Any(IsHttp);
        return http
            && !rule.From.Any(s => !s.Principals.IsEmpty || !s.NotPrincipals.IsEmpty || !s.Namespaces.IsEmpty || !s.NotNamespaces.IsEmpty || !s.IpBlocks.IsEmpty || !s.NotIpBlocks.IsEmpty)
            && !rule.To.Any(o => !o.Ports.IsEmpty || !o.NotPorts.IsEmpty)
            && rule.When.All(IsHttp);

        static bool IsHttp(Condition condition) => condition.Key.StartsWith("request.", StringComparison.Ordinal);
    }

    private sealed record Provider(string? Name);
}
