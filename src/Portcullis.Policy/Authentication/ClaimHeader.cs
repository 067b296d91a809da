using System.Text.Json;
using Portcullis.Matching;

namespace Portcullis.Policy.Authentication;

/// <summary>One entry of <c>outputClaimToHeaders</c>: a header and the claim that goes into it.</summary>
internal sealed class ClaimHeader
{
    private readonly ClaimPath? _path;
    private readonly string[] _dotted;

    private ClaimHeader(string header, ClaimPath? path, string[] dotted)
    {
        Header = header;
        _path = path;
        _dotted = dotted;
    }

    public string Header { get; }

    /// <param name="header">Header name.</param>
    /// <param name="claim">Claim name or path.</param>
    /// <param name="exact">Splits on every dot, as Istio; otherwise <c>[a.b][c]</c> takes names as they are, and in <c>a.b</c> a claim of this very name wins.</param>
    public static ClaimHeader Compile(string header, string claim, bool exact)
    {
        if (exact)
        {
            return new(header, null, claim.Split('.'));
        }

        return new(header, ClaimPath.TryParseBracketed(claim, out var path) ? path : ClaimPath.ParseDotted(claim), []);
    }

    /// <returns><see langword="null"/> when the claim is absent or does not fit into a header.</returns>
    public string? ValueFrom(ClaimSet claims)
    {
        JsonElement claim;
        var found = _path is null ? claims.TryGet(_dotted, out claim) : _path.TryGet(claims, out claim, out _);
        return found ? ClaimText.Of(claim) : null;
    }
}
