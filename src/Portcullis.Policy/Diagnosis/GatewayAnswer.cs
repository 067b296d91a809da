namespace Portcullis.Policy.Diagnosis;

/// <summary>What the gateway would answer to a request with the token.</summary>
/// <param name="StatusCode">401 or 403; <see langword="null"/> when the request passes on to its route, or when nobody can say without the keys.</param>
/// <param name="Body">The body of a refusal, to the byte.</param>
/// <param name="IsKnown">False while the answer hangs on keys that were not fetched.</param>
/// <param name="Finding">Why, and what helps.</param>
public sealed record GatewayAnswer(int? StatusCode, string? Body, bool IsKnown, TokenFinding Finding)
{
    /// <summary>Authentication and authorization let the request pass.</summary>
    public bool Passes => IsKnown && StatusCode is null;
}
