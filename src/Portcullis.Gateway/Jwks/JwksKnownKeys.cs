using Portcullis.Jose;

namespace Portcullis.Gateway.Jwks;

/// <summary>Keys that a source begins with before it has fetched any.</summary>
/// <param name="Keys">A usable set.</param>
/// <param name="KeysUrl">What discovery had found, if it had.</param>
/// <param name="FetchedAt">When they were last fetched or confirmed: they are given up by that time, not by the start.</param>
/// <param name="Origin">Where they are from.</param>
internal sealed record JwksKnownKeys(JsonWebKeySet Keys, string? KeysUrl, DateTimeOffset FetchedAt, JwksOrigin Origin);
