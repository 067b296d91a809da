using Portcullis.Matching;
using Portcullis.Policy.Authorization;

namespace Portcullis.Policy.Analysis;

/// <summary>Whether all that one value matches is matched by another. Never says yes when it is not so; may say no when it is.</summary>
internal static class PatternCoverage
{
    /// <summary>Every value of a list is covered by some value of another.</summary>
    public static bool CoversAll(Term wide, Term narrow)
    {
        foreach (var value in narrow.Values)
        {
            if (!CoveredByAny(wide, value))
            {
                return false;
            }
        }

        return true;
    }

    public static bool CoveredByAny(Term wide, string value)
    {
        foreach (var pattern in wide.Values)
        {
            if (Covers(wide.Key, pattern, value))
            {
                return true;
            }
        }

        return false;
    }

    /// <param name="key">The attribute that both are about.</param>
    /// <param name="wide">What should cover.</param>
    /// <param name="narrow">What should be covered.</param>
    public static bool Covers(ConditionKey key, string wide, string narrow)
    {
        var comparison = key.Kind == AttributeKind.Host ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        if (string.Equals(wide, narrow, comparison))
        {
            return true;
        }

        return key.Kind switch
        {
            AttributeKind.Host or AttributeKind.Method or AttributeKind.Header or AttributeKind.Claim or AttributeKind.ServerName => Text(wide, narrow, comparison),
            AttributeKind.Path => Path(wide, narrow),
            AttributeKind.PeerAddress or AttributeKind.RemoteAddress or AttributeKind.LocalAddress =>
                CidrBlock.TryParse(wide, out var outer, out _) && CidrBlock.TryParse(narrow, out var inner, out _) && outer.Covers(inner),
            AttributeKind.RequestPrincipal => Principal(wide, narrow),
            AttributeKind.PeerPrincipal => wide == "*",
            _ => false,
        };
    }

    private static bool Text(string wide, string narrow, StringComparison comparison) => wide switch
    {
        "*" => true,
        ['*', .. var end] => narrow.EndsWith(end, comparison) && (narrow.StartsWith('*') || !narrow.EndsWith('*')),
        [.. var begin, '*'] => !narrow.StartsWith('*') && narrow.StartsWith(begin, comparison),
        _ => false,
    };

    private static bool Path(string wide, string narrow)
    {
        var isTemplate = PathTemplate.IsTemplate(narrow);
        if (PathTemplate.IsTemplate(wide))
        {
            return !isTemplate && !narrow.Contains('*', StringComparison.Ordinal) && PathTemplate.TryCompile(wide, out var template, out _) && template.IsMatch(narrow);
        }

        if (!isTemplate)
        {
            return Text(wide, narrow, StringComparison.Ordinal);
        }

        return wide switch
        {
            "*" => true,
            ['*', .. var end] => narrow[(narrow.LastIndexOf('}') + 1)..].EndsWith(end, StringComparison.Ordinal),
            [.. var begin, '*'] => narrow[..narrow.IndexOf('{', StringComparison.Ordinal)].StartsWith(begin, StringComparison.Ordinal),
            _ => false,
        };
    }

    /// <summary><c>*</c> and <c>issuer/*</c> need a subject that is not empty.</summary>
    private static bool Principal(string wide, string narrow)
    {
        var slash = narrow.LastIndexOf('/');
        if (slash <= 0 || slash == narrow.Length - 1 || narrow.StartsWith('*'))
        {
            return false;
        }

        return wide == "*" || (wide.EndsWith("/*", StringComparison.Ordinal) && !wide.StartsWith('*') && narrow.AsSpan(0, slash).SequenceEqual(wide.AsSpan(0, wide.Length - 2)));
    }
}
