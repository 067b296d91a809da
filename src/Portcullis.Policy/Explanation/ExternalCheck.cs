namespace Portcullis.Policy.Explanation;

/// <summary>What the configuration says of an external authorizer that CUSTOM policies name.</summary>
/// <param name="Name"><c>spec.provider.name</c>.</param>
/// <param name="Unusable">Why it cannot be asked, so that what its policies match is denied; <see langword="null"/> when it can.</param>
/// <param name="Address">Protocol and place, as <c>http ext-authz.default.svc.cluster.local:8000</c>.</param>
/// <param name="FailOpen">Errors let the request pass.</param>
/// <param name="StatusOnError">Status of the answer to the client when it cannot be reached.</param>
public sealed record ExternalAuthorizerFacts(string Name, string? Unusable, string? Address, bool FailOpen, int StatusOnError);

/// <summary>A question that only a running gateway can put: an external authorizer would be asked about the request.</summary>
/// <param name="Provider">Name of the authorizer.</param>
/// <param name="Address">Protocol and place.</param>
/// <param name="RuleId">The CUSTOM rule that matches.</param>
/// <param name="IfAllowed">What follows when it allows.</param>
/// <param name="IfDenied">What follows when it denies.</param>
/// <param name="IfFailed">What follows when it cannot be reached or answers with an error.</param>
public sealed record ExternalCheck(string Provider, string? Address, string RuleId, string IfAllowed, string IfDenied, string IfFailed);
