using Portcullis.Matching;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>Stars that are taken literally, and stars that open more than they read.</summary>
internal static class WildcardAnalysis
{
    public static void Run(AnalysisContext context)
    {
        foreach (var rule in context.Rules)
        {
            foreach (var term in rule.Terms)
            {
                if (term is { Kind: AttributeKind.RequestPrincipal, IsNegated: false } && rule.IsAllow)
                {
                    CheckPrincipals(context, rule.Policy, term);
                }

                if (!HasStarsAtEndsOnly(term.Kind))
                {
                    continue;
                }

                for (var i = 0; i < term.Values.Length; i++)
                {
                    var value = term.Values[i];
                    if (term.Kind == AttributeKind.Path && PathTemplate.IsTemplate(value))
                    {
                        continue;
                    }

                    if (WhyLiteral(value) is { } meaning)
                    {
                        ReportLiteral(context, rule.Policy, $"{term.Path}[{i}]", term.Kind, $"`{value}` {meaning}: a star counts at one end of a value only");
                    }
                    else if (rule.IsAllow && !term.IsNegated)
                    {
                        CheckWidth(context, rule.Policy, $"{term.Path}[{i}]", term.Kind, value);
                    }
                }
            }
        }
    }

    private static bool HasStarsAtEndsOnly(AttributeKind kind) => kind is AttributeKind.Host or AttributeKind.Method or AttributeKind.Path
        or AttributeKind.Header or AttributeKind.Claim or AttributeKind.ServerName or AttributeKind.PeerPrincipal;

    private static string? WhyLiteral(string value) => value switch
    {
        "*" => null,
        ['*', .. var end] => end.Contains('*') ? $"means what ends with the very text `{end}`" : null,
        [.. var begin, '*'] => begin.Contains('*') ? $"means what begins with the very text `{begin}`" : null,
        _ => value.Contains('*') ? "is compared as it is, star and all" : null,
    };

    /// <summary>Headers and claims may really hold stars; hosts, methods and paths hardly do.</summary>
    private static void ReportLiteral(AnalysisContext context, Resource policy, string path, AttributeKind kind, string message)
    {
        if (kind is AttributeKind.Header or AttributeKind.Claim)
        {
            context.Note(policy, path, ProblemCodes.LiteralStar, message, "ignore this if the value has a star; otherwise list the values");
            return;
        }

        context.Warning(
            policy, path, ProblemCodes.LiteralStar, message,
            kind == AttributeKind.Path ? "use a template, `{*}` for one segment and `{**}` for any number, or several values" : "list the values, or use one star at one end");
    }

    private static void CheckPrincipals(AnalysisContext context, Resource policy, Term term)
    {
        for (var i = 0; i < term.Values.Length; i++)
        {
            if (term.Values[i] is ['*', _, ..] value && !value.Contains('/', StringComparison.Ordinal))
            {
                context.Note(
                    policy, $"{term.Path}[{i}]", ProblemCodes.WideWildcard, $"`{value}` opens every subject that ends so, of every issuer: `x{value[1..]}`, too",
                    "name the issuer and the subject, `<issuer>/<subject>`");
            }
        }
    }

    private static void CheckWidth(AnalysisContext context, Resource policy, string path, AttributeKind kind, string value)
    {
        switch (kind, value)
        {
            case (AttributeKind.Path, [.. var begin, '*']) when begin.Length > 1 && !begin.EndsWith('/'):
                context.Note(
                    policy, path, ProblemCodes.WideWildcard, $"`{value}` also opens `{begin}x` and all else that begins so: a star does not stop at a segment",
                    $"write `{begin}` and `{begin}/*`");
                break;
            case (AttributeKind.Path, ['*', _, ..]):
                context.Note(
                    policy, path, ProblemCodes.WideWildcard, $"`{value}` opens every path that ends so, in every folder, protected ones too", "begin the path where it begins");
                break;
            case (AttributeKind.Host, ['*', not '.', ..] and not ['*', ':', ..]):
                context.Warning(
                    policy, path, ProblemCodes.WideWildcard, $"`{value}` also opens `other{value[1..]}`: a star does not stop at a dot",
                    $"write `{value[1..]}` and `*.{value[1..]}`");
                break;
            case (AttributeKind.Host, [.. var begin, '*']) when begin.Length > 0 && !begin.EndsWith(':'):
                context.Note(
                    policy, path, ProblemCodes.WideWildcard, $"`{value}` also opens `{begin}.other.example`, and any host that begins so", $"write `{begin}`, and `{begin}:*` for its ports");
                break;
        }
    }
}
