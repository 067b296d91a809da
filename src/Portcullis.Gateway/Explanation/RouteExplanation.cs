using System.Collections.Immutable;
using Portcullis.Policy.Explanation;

namespace Portcullis.Gateway.Explanation;

/// <summary>A decision, and what serves the request when it passes.</summary>
/// <param name="StatusCode">Of the gateway's answer; 200 for a request that is forwarded, whatever the backend then says.</param>
/// <param name="Decision">How the policies decide.</param>
/// <param name="Route">Where the request goes; <see langword="null"/> when it does not pass.</param>
public sealed record ExplainedRequest(int StatusCode, DecisionExplanation Decision, RouteExplanation? Route);

/// <summary>The route of a request that passes.</summary>
public sealed record RouteExplanation
{
    /// <summary>Port that is bound; <see langword="null"/> when no Gateway listens where the request arrives.</summary>
    public int? Port { get; init; }

    /// <summary>Virtual host that was found, <c>shop.example.com</c> or <c>*</c>.</summary>
    public string? VirtualHost { get; init; }

    /// <summary>The VirtualService, <c>namespace/name</c>.</summary>
    public string? VirtualService { get; init; }

    /// <summary><c>spec.http[i]</c> of it.</summary>
    public string? Rule { get; init; }

    /// <summary>Name of the route, when it has one.</summary>
    public string? Name { get; init; }

    /// <summary><c>forward</c>, <c>redirect</c>, <c>respond</c> or <c>none</c>.</summary>
    public required string Action { get; init; }

    /// <summary>Clusters that it is forwarded to.</summary>
    public ImmutableArray<string> Destinations { get; init; } = [];

    /// <summary>Why it is not served; <see langword="null"/> when it is.</summary>
    public string? Problem { get; init; }
}
