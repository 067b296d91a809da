namespace Portcullis.Resources.PolicyTests;

/// <summary>What has to become of a request; what is <see langword="null"/> is not looked at.</summary>
public sealed record TestExpectation
{
    /// <summary>Whether the policies let it pass.</summary>
    public bool? IsAllowed { get; init; }

    /// <summary>Status of the gateway's answer; 200 for a request that is forwarded.</summary>
    public int? Status { get; init; }

    /// <summary>The policy that decides, <c>namespace/name</c> or a name; <c>none</c> for a decision that no policy made.</summary>
    public string? Policy { get; init; }

    /// <summary>Index of the rule of that policy.</summary>
    public int? Rule { get; init; }

    /// <summary>Body of the gateway's refusal, to the character.</summary>
    public string? Body { get; init; }

    /// <summary>Text that the explanation's reason holds.</summary>
    public string? Reason { get; init; }

    /// <summary>Request principal, <c>issuer/subject</c>; <c>none</c> for no identity.</summary>
    public string? Principal { get; init; }

    /// <summary>The route of a request that passes.</summary>
    public TestRouteExpectation? Route { get; init; }

    /// <summary>As an author would say it.</summary>
    public override string ToString()
    {
        var what = (IsAllowed, Status) switch
        {
            ({ } allowed, { } status) => $"{(allowed ? "allow" : "deny")} with {status}",
            ({ } allowed, null) => allowed ? "allow" : "deny",
            (null, { } status) => $"{status}",
            _ => "",
        };
        string?[] more =
        [
            Policy is null ? null : Policy == "none" ? "by no policy" : $"by {Policy}{(Rule is { } rule ? $" rule {rule}" : "")}",
            Policy is null && Rule is { } index ? $"by rule {index}" : null,
            Body is null ? null : $"body `{Body}`",
            Reason is null ? null : $"reason `{Reason}`",
            Principal is null ? null : $"principal `{Principal}`",
            Route is null ? null : $"route to {Route}",
        ];
        return string.Join(", ", more.Where(m => m is not null).Prepend(what).Where(t => t!.Length > 0)).Replace(", by ", " by ", StringComparison.Ordinal);
    }
}

/// <summary>Where a request that passes goes; what is <see langword="null"/> is not looked at.</summary>
public sealed record TestRouteExpectation
{
    /// <summary><c>forward</c>, <c>redirect</c>, <c>respond</c> or <c>none</c>.</summary>
    public string? Action { get; init; }

    /// <summary>Destination host: the full name, or the beginning of it up to a dot.</summary>
    public string? Host { get; init; }

    /// <summary>Destination port.</summary>
    public int? Port { get; init; }

    /// <summary>Destination subset.</summary>
    public string? Subset { get; init; }

    /// <summary>The VirtualService, <c>namespace/name</c> or a name.</summary>
    public string? VirtualService { get; init; }

    /// <summary>Name of the route in it.</summary>
    public string? Name { get; init; }

    /// <summary>As an author would say it.</summary>
    public override string ToString()
    {
        string?[] parts =
        [
            Host is null ? null : $"{Host}{(Port is { } port ? $":{port}" : "")}",
            Host is null && Port is { } only ? $"port {only}" : null,
            Subset is null ? null : $"subset {Subset}",
            Action is null ? null : $"action {Action}",
            VirtualService is null ? null : $"VirtualService {VirtualService}",
            Name is null ? null : $"route {Name}",
        ];
        return string.Join(", ", parts.Where(p => p is not null));
    }
}
