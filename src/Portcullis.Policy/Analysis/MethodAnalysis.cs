using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>Methods are compared with case, and those of HTTP are in upper case.</summary>
internal static class MethodAnalysis
{
    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

    public static void Run(AnalysisContext context)
    {
        foreach (var rule in context.Rules)
        {
            foreach (var term in rule.Terms)
            {
                for (var i = 0; term.Kind == AttributeKind.Method && i < term.Values.Length; i++)
                {
                    var value = term.Values[i];
                    var upper = value.ToUpperInvariant();
                    if (upper != value && Methods.Contains(upper))
                    {
                        context.Warning(
                            rule.Policy, $"{term.Path}[{i}]", ProblemCodes.MethodCase, $"`{value}` is not `{upper}`: methods are compared with case", $"write `{upper}`", new(value, upper));
                    }
                }
            }
        }
    }
}
