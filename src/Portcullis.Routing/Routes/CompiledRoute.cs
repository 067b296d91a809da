using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>What a route does.</summary>
public enum RouteAction
{
    /// <summary>Forwards to a cluster: <see cref="CompiledRoute.Forward"/>.</summary>
    Forward,

    /// <summary>Redirects: <see cref="CompiledRoute.Redirect"/>.</summary>
    Redirect,

    /// <summary>Answers by itself: <see cref="CompiledRoute.DirectResponse"/>.</summary>
    DirectResponse,
}

/// <summary>One match block of a VirtualService rule with the rule's action. Immutable; shared by the hosts of the VirtualService.</summary>
public sealed class CompiledRoute
{
    /// <summary>What <c>httpsRedirect</c> answers: 301 to the same host, port and path on https (routing.md §1.5).</summary>
    public static CompiledRoute HttpsRedirect { get; } = new() { Action = RouteAction.Redirect, Redirect = RedirectAction.ToHttps };

    /// <summary><c>http.name[.match.name]</c>; empty when neither has one.</summary>
    public string Name { get; init; } = "";

    /// <summary>The VirtualService that holds the rule (the delegate, when there is one); <see langword="null"/> for <c>httpsRedirect</c>.</summary>
    public ResourceId? VirtualService { get; init; }

    /// <summary>Index in <c>spec.http</c> of <see cref="VirtualService"/>.</summary>
    public int RuleIndex { get; init; }

    /// <summary>Which of the next three is set.</summary>
    public required RouteAction Action { get; init; }

    /// <summary>Forwarding.</summary>
    public ForwardAction? Forward { get; init; }

    /// <summary>Redirect.</summary>
    public RedirectAction? Redirect { get; init; }

    /// <summary>Direct response.</summary>
    public DirectResponseAction? DirectResponse { get; init; }

    /// <summary>The path condition; rewrites need it.</summary>
    public PathMatch Path { get; init; } = PathMatch.Any;

    /// <summary>
    /// Operations on the response of this route whatever its action, local replies included, as long as no destination is chosen;
    /// afterwards <see cref="WeightedDestination.ResponseHeaders"/>, which holds these too.
    /// </summary>
    public HeaderMutations ResponseHeaders { get; init; } = HeaderMutations.None;

    /// <summary>Matches on JWT claims.</summary>
    public bool UsesClaims => Conditions.UsesClaims;

    /// <summary>Matches every request; goes behind the other routes of its host.</summary>
    public bool IsCatchAll => Path.IsCatchAll && Conditions.IsEmpty;

    internal RouteConditions Conditions { get; init; } = RouteConditions.None;
}
