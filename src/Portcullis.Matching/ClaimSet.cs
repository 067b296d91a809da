using System.Text.Json;

namespace Portcullis.Matching;

/// <summary>
/// The claims of a verified token as policies, routes and the access log see them: the payload, in which <c>scope</c>, <c>permission</c> and the
/// rule's <c>spaceDelimitedClaims</c> are lists (authentication.md §10.4). Immutable.
/// </summary>
public sealed class ClaimSet
{
    private readonly JsonElement _payload;
    private readonly string[] _split;

    /// <param name="payload">A JSON object that outlives this instance (cloned, not of a pooled document).</param>
    /// <param name="spaceDelimited">Top-level names whose string values are split at single spaces.</param>
    public ClaimSet(JsonElement payload, params string[] spaceDelimited)
    {
        _payload = payload;
        _split = spaceDelimited;
        Issuer = Text("iss");
        Subject = Text("sub");
    }

    /// <summary>Names that are always split.</summary>
    public static IReadOnlyList<string> AlwaysSpaceDelimited { get; } = ["scope", "permission"];

    /// <summary>The payload as the token holds it.</summary>
    public JsonElement Payload => _payload;

    /// <summary><c>iss</c>, when it is a string.</summary>
    public string? Issuer { get; }

    /// <summary><c>sub</c>, when it is a string.</summary>
    public string? Subject { get; }

    /// <summary>Whether a string claim of this top-level name is seen as a list of its parts.</summary>
    public bool IsSpaceDelimited(string name) => Array.IndexOf(_split, name) >= 0;

    /// <summary>Walks object members by name.</summary>
    /// <returns><see langword="false"/> when a step is missing or not an object.</returns>
    public bool TryGet(ReadOnlySpan<string> path, out JsonElement value)
    {
        value = _payload;
        foreach (var name in path)
        {
            if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(name, out value))
            {
                return false;
            }
        }

        return true;
    }

    private string? Text(string name) =>
        _payload.ValueKind == JsonValueKind.Object && _payload.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
