using System.Collections.Frozen;
using Portcullis.Gateway.Jwks;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;

namespace Portcullis.Commands;

/// <summary>Annotations under our own prefix: Istio never looks at them, so nobody else would notice a misspelt one.</summary>
internal static class AnnotationCheck
{
    /// <summary>Every annotation that is read, all on RequestAuthentication.</summary>
    private static readonly FrozenSet<string> Known =
        FrozenSet.Create(JwksAnnotations.Authorities, JwksAnnotations.Proxy, JwksAnnotations.Headers, PolicyAnnotations.RemoveTokenCookie);

    public static IEnumerable<Problem> Run(ResourceSet set)
    {
        foreach (var resource in set.All)
        {
            foreach (var (name, value) in resource.Metadata.Annotations.OrderBy(a => a.Key, StringComparer.Ordinal))
            {
                if (name.StartsWith(PolicyAnnotations.Prefix, StringComparison.OrdinalIgnoreCase) && Check(resource, name, value) is { } problem)
                {
                    yield return problem;
                }
            }
        }
    }

    private static Problem? Check(Resource resource, string name, string value)
    {
        var field = $"metadata.annotations[{name}]";
        if (!Known.Contains(name))
        {
            var near = Known.Select(k => (Name: k, Distance: Distance(k, name))).MinBy(k => k.Distance);
            return Problem.At(
                resource, field, ProblemSeverity.Warning, ProblemCodes.UnknownField, $"no annotation `{name}` is read",
                near.Distance <= 3 ? $"did you mean `{near.Name}`?" : $"known: {string.Join(", ", Known.Order(StringComparer.Ordinal))}");
        }

        if (resource is not RequestAuthentication)
        {
            return Problem.At(
                resource, field, ProblemSeverity.Warning, ProblemCodes.UnknownField, $"`{name}` is read on RequestAuthentication only", "move it to the policy with the rule");
        }

        if (name == PolicyAnnotations.RemoveTokenCookie)
        {
            return value is "true" or "false"
                ? null
                : Problem.At(resource, field, ProblemSeverity.Warning, ProblemCodes.InvalidValue, $"`{name}` is neither \"true\" nor \"false\", so the cookie stays", "write \"true\", in quotes");
        }

        return JwksAnnotations.FindProblem(name, value) is { } wrong
            ? Problem.At(resource, field, ProblemSeverity.Error, ProblemCodes.InvalidValue, wrong, "until it is right, no keys are fetched and every token of the policy's remote rules is refused")
            : null;
    }

    /// <summary>Edits between two names (Levenshtein), case not counting.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                var change = char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]) ? 0 : 1;
                row[j] = Math.Min(diagonal + change, 1 + Math.Min(above, row[j - 1]));
                diagonal = above;
            }
        }

        return row[^1];
    }
}
