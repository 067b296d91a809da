using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Portcullis.Resources.PolicyTests;

/// <summary>Claims of a token that a test makes. Unless the author says otherwise, it was issued now and expires in an hour.</summary>
/// <param name="All">In the order of the file.</param>
public sealed record TestClaims(ImmutableArray<TestClaim> All)
{
    private static readonly TimeSpan Life = TimeSpan.FromHours(1);
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary><c>iss</c>; <see langword="null"/> when it is absent or no text.</summary>
    public string? Issuer
    {
        get
        {
            var json = All.FirstOrDefault(c => c.Name == "iss")?.Json;
            return json is ['"', ..] ? JsonElement.Parse(json).GetString() : null;
        }
    }

    /// <summary>The payload, its times as seconds.</summary>
    public string ToJson(DateTimeOffset now)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            WriteTime("iat", TimeSpan.Zero);
            WriteTime("exp", Life);
            foreach (var claim in All)
            {
                if (claim.FromNow is { } distance)
                {
                    json.WriteNumber(claim.Name, (now + distance).ToUnixTimeSeconds());
                }
                else if (claim.Json is { } value)
                {
                    json.WritePropertyName(claim.Name);
                    json.WriteRawValue(value);
                }
            }

            json.WriteEndObject();

            void WriteTime(string name, TimeSpan distance)
            {
                if (!All.Any(c => c.Name == name))
                {
                    json.WriteNumber(name, (now + distance).ToUnixTimeSeconds());
                }
            }
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}

/// <summary>One claim.</summary>
/// <param name="Name">Name.</param>
/// <param name="Json">Value as JSON; <see langword="null"/> with a time, or for a claim that is left out.</param>
/// <param name="FromNow">Time of <c>exp</c>, <c>nbf</c> and <c>iat</c>, from the time of the request.</param>
public sealed record TestClaim(string Name, string? Json, TimeSpan? FromNow = null);
