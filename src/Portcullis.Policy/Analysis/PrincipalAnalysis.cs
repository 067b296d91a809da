using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>Request principals that no token of the configured issuers can have (authorization.md §5.2).</summary>
internal static class PrincipalAnalysis
{
    public static void Run(AnalysisContext context)
    {
        var issuers = context.JwtRules.Select(r => r.Rule.Issuer).ToHashSet(StringComparer.Ordinal);
        var folded = issuers.OfType<string>().GroupBy(IssuerAnalysis.Fold).ToDictionary(g => g.Key, g => g.First(), StringComparer.Ordinal);
        AuthorizationPolicy? told = null;
        foreach (var rule in context.Rules)
        {
            foreach (var term in rule.Terms)
            {
                if (!term.Key.IsOfToken)
                {
                    continue;
                }

                if (context.JwtRules.IsEmpty)
                {
                    if (context.IsComplete && !ReferenceEquals(told, rule.Policy))
                    {
                        told = rule.Policy;
                        context.Warning(
                            rule.Policy, term.Path, ProblemCodes.UnknownIssuer, "no RequestAuthentication reaches the gateway, so no request has a verified token",
                            "add a RequestAuthentication with the issuer of your tokens");
                    }
                }
                else if (term.Kind == AttributeKind.RequestPrincipal)
                {
                    for (var i = 0; i < term.Values.Length; i++)
                    {
                        Check(context, rule.Policy, $"{term.Path}[{i}]", term.Values[i], issuers, folded);
                    }
                }
            }
        }
    }

    private static void Check(
        AnalysisContext context, AuthorizationPolicy policy, string path, string value, HashSet<string?> issuers, Dictionary<string, string> folded)
    {
        if (value == "*")
        {
            return;
        }

        var slash = value.LastIndexOf('/');
        var (issuer, subject) = slash < 0 ? (value, "") : (value[..slash], value[(slash + 1)..]);
        if (slash < 0 && !value.StartsWith('*') && !value.EndsWith('*'))
        {
            context.Warning(
                policy, path, ProblemCodes.PrincipalFormat, $"`{value}` is no request principal: it lacks the slash between issuer and subject, so no token has it",
                issuers.Contains(value) ? $"write `{value}/<subject>`, or `{value}/*` for every subject of the issuer" : "write `<issuer>/<subject>`, as the token has them in `iss` and `sub`");
            return;
        }

        if (value.StartsWith('*') && subject.Contains('*', StringComparison.Ordinal))
        {
            context.Warning(
                policy, path, ProblemCodes.PrincipalSlash, $"`{value}` asks for a subject that is `{subject}` to the letter: a pattern that begins with a star is compared exactly after its slash",
                "write `*` for every token, or `<issuer>/*` for every subject of one issuer");
            return;
        }

        if (value.EndsWith('*') && (issuer.EndsWith(":/", StringComparison.Ordinal) || issuer.EndsWith(':')))
        {
            context.Warning(
                policy, path, ProblemCodes.PrincipalSlash, $"`{value}` is cut at its last slash and asks for the issuer `{issuer}`, which no token has",
                "issuers have no prefix form when they are URLs; write `<issuer>/*` for each of them");
            return;
        }

        // A rule without issuer accepts every one.
        if (issuers.Contains(null) || issuers.Any(i => RequestPrincipalMatcher.Compile(value, acceptsNoSubject: true).Consider(i) != Truth.False))
        {
            return;
        }

        Unknown(context, policy, path, issuer, value, folded);
    }

    private static void Unknown(AnalysisContext context, AuthorizationPolicy policy, string path, string issuer, string value, Dictionary<string, string> folded)
    {
        if (folded.TryGetValue(IssuerAnalysis.Fold(issuer), out var near))
        {
            context.Warning(
                policy, path, ProblemCodes.NearIssuer, $"`{issuer}` is not the issuer `{near}`: `iss` is compared to the byte",
                $"write `{near}{value[issuer.Length..]}`");
        }
        else if (folded.Values.FirstOrDefault(i => value.StartsWith($"{i}/", StringComparison.Ordinal)) is { } cut)
        {
            context.Warning(
                policy, path, ProblemCodes.PrincipalSlash, $"`{value}` is cut at its last slash: it asks for the issuer `{issuer}`; a subject that has a slash cannot be named",
                $"write `{cut}/*`, and name the subject in a condition: `key: request.auth.claims[sub]`");
        }
        else if (context.IsComplete)
        {
            context.Warning(
                policy, path, ProblemCodes.UnknownIssuer, $"no RequestAuthentication that reaches the gateway verifies tokens of `{issuer}`, so no request has this principal",
                folded.Count is > 0 and <= 4 ? $"the verified issuers are {string.Join(", ", folded.Values.Select(i => $"`{i}`"))}" : "add a rule for the issuer to a RequestAuthentication, or correct it");
        }
    }
}
