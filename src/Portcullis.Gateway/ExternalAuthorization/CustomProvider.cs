using System.Collections.Immutable;
using System.Globalization;
using Portcullis.Policy.Explanation;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>An external authorizer that attached CUSTOM policies name.</summary>
public sealed record CustomProvider
{
    /// <summary><c>spec.provider.name</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The policies that name it; never empty.</summary>
    public required ImmutableArray<AuthorizationPolicy> Policies { get; init; }

    /// <summary>What the mesh configuration says of it; <see langword="null"/> when that does not know the name.</summary>
    public ExtensionProvider? Settings { get; init; }

    /// <summary>Its endpoints; <see langword="null"/> when it cannot be asked.</summary>
    public Cluster? Cluster { get; init; }

    /// <summary>Why it cannot be asked, so that what its policies match is denied; <see langword="null"/> when it can.</summary>
    public string? Unusable { get; init; }

    /// <summary>Code of the problem that <see cref="Unusable"/> is.</summary>
    public string ProblemCode { get; init; } = ProblemCodes.DanglingReference;

    /// <summary>What to do about it.</summary>
    public string? Remedy { get; init; }

    /// <summary>What explanations say of it.</summary>
    internal ExternalAuthorizerFacts ToFacts() => new(
        Name,
        Unusable,
        Settings is { } s ? $"{(s.IsGrpc ? "grpc" : "http")} {s.Service}:{s.Port.ToString(CultureInfo.InvariantCulture)}" : null,
        Settings?.FailOpen ?? false,
        Settings?.StatusOnError ?? 403);

    /// <summary>Values of <c>includeAdditionalHeadersInCheck</c>, by name.</summary>
    internal ImmutableArray<KeyValuePair<string, HeaderTemplate>> AdditionalHeaders { get; init; } = [];
}
