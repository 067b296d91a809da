using Portcullis.Resources;

namespace Portcullis.Policy.Authentication;

/// <summary>Warns of rules that are valid but get in each other's way (authentication.md §5.4, §10).</summary>
internal static class JwtRuleConflicts
{
    public static void Report(JwtRuleSource[] sources, JwtRuleOutputs[] outputs, ICollection<Problem> problems)
    {
        TokenPlace[][] places = [.. sources.Select(s => TokenPlace.Of(s.Rule).ToArray())];
        ReportRequiredOnSharedPlaces(sources, places, problems);
        ReportOutputsOverTokens(sources, outputs, places, problems);
    }

    private static void ReportRequiredOnSharedPlaces(JwtRuleSource[] sources, TokenPlace[][] places, ICollection<Problem> problems)
    {
        var readers = places.SelectMany((p, rule) => p.Select(place => (place, rule))).ToLookup(p => p.place, p => p.rule);
        for (var i = 0; i < sources.Length; i++)
        {
            if (sources[i].Rule.Presence != JwtPresence.Required)
            {
                continue;
            }

            foreach (var place in places[i])
            {
                if (readers[place].Cast<int?>().FirstOrDefault(r => r != i) is { } other)
                {
                    problems.Add(Problem.At(
                        sources[i].Policy, $"{sources[i].FieldPath}.presence", ProblemSeverity.Warning, ProblemCodes.Conflict,
                        $"a REQUIRED token is read from {place}, where {sources[other]} reads too; rules beside a REQUIRED one are no alternatives, so a token of one issuer fails the other rule",
                        "give each rule a location of its own"));
                    break;
                }
            }
        }
    }

    private static void ReportOutputsOverTokens(
        JwtRuleSource[] sources, JwtRuleOutputs[] outputs, TokenPlace[][] places, ICollection<Problem> problems)
    {
        var writers = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < sources.Length; i++)
        {
            foreach (var header in outputs[i].Headers)
            {
                writers.TryAdd(header, i);
            }
        }

        if (writers.Count == 0)
        {
            return;
        }

        for (var i = 0; i < sources.Length; i++)
        {
            foreach (var place in places[i])
            {
                if (writers.TryGetValue(place.Carrier, out var writer))
                {
                    var found = writer <= i ? "so no token is ever found there" : "so the token found there never reaches the backend";
                    problems.Add(Problem.At(
                        sources[i].Policy, sources[i].FieldPath, ProblemSeverity.Warning, ProblemCodes.Conflict,
                        $"the token is read from {place}, which {(writer == i ? "the same rule" : sources[writer].ToString())} deletes in order to write it, {found}",
                        "write the claims to a header that carries no token"));
                }
            }
        }
    }
}
