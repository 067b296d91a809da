using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Portcullis.Gateway.Decisions;

/// <summary>Which decisions somebody wants to see.</summary>
internal sealed record DecisionQuery
{
    /// <summary>Decisions in one answer at most.</summary>
    public const int MaxLimit = 1000;

    private static readonly string[] Outcomes = ["allowed", "denied", "forbidden", "challenge", "tokenRefused"];

    public int Limit { get; init; } = 100;

    /// <summary>Only those before this place in the order.</summary>
    public long Before { get; init; } = long.MaxValue;

    public string? Outcome { get; init; }

    /// <summary>Part of the deciding rule's id.</summary>
    public string? Policy { get; init; }

    public int? Status { get; init; }

    public DateTimeOffset? Since { get; init; }

    /// <summary>Reads the parameters of a URL.</summary>
    public static bool TryParse(IQueryCollection parameters, [NotNullWhen(true)] out DecisionQuery? query, [NotNullWhen(false)] out string? error)
    {
        var result = new DecisionQuery();
        error = null;
        foreach (var (name, values) in parameters)
        {
            var text = values.ToString();
            DecisionQuery? read = name switch
            {
                "limit" => Number(text, 1, MaxLimit) is { } limit ? result with { Limit = (int)limit } : null,
                "before" => Number(text, 1, long.MaxValue) is { } before ? result with { Before = before } : null,
                "status" => Number(text, 0, 999) is { } status ? result with { Status = (int)status } : null,
                "outcome" => Array.Exists(Outcomes, o => o.Equals(text, StringComparison.OrdinalIgnoreCase)) ? result with { Outcome = text } : null,
                "policy" => text.Length > 0 ? result with { Policy = text } : null,
                "since" => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var since) ? result with { Since = since } : null,
                _ => null,
            };
            if (read is null)
            {
                error = $"`{name}` cannot be used so; known are limit (1 to {MaxLimit}), before (`next` of the page before), outcome ({string.Join(", ", Outcomes)}), "
                    + "policy (part of a rule's id), status, since (2026-11-24T12:00:00Z)";
                query = null;
                return false;
            }

            result = read;
        }

        query = result;
        return true;
    }

    public bool Matches(DecisionRecord record) =>
        (Status is not { } status || record.Status == status)
        && (Since is not { } since || record.Time >= since)
        && (Policy is not { } policy || record.PolicyId?.Contains(policy, StringComparison.Ordinal) == true)
        && (Outcome is not { } outcome
            || outcome.Equals(DecisionSummary.OutcomeOf(record).ToString(), StringComparison.OrdinalIgnoreCase)
            || (record.IsRefused && outcome.Equals("denied", StringComparison.OrdinalIgnoreCase)));

    private static long? Number(string text, long min, long max) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max ? number : null;
}
