using System.Buffers;

namespace Portcullis.Resources.Reading;

/// <summary>Path templates of AuthorizationPolicy paths (authorization.md §6.2).</summary>
internal static class PathTemplates
{
    /// <summary>Longest template after <c>{*}</c> → <c>*</c>, <c>{**}</c> → <c>**</c>: Envoy's own bound.</summary>
    private const int MaxLength = 256;

    private static readonly SearchValues<char> Literal =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()+,;:@=");

    /// <summary>What is wrong with a path of the field <paramref name="field"/> (<c>Paths</c>, <c>NotPaths</c>).</summary>
    public static string? Wrong(string path, string field)
    {
        var isTemplate = path.Contains("{*}", StringComparison.Ordinal) || path.Contains("{**}", StringComparison.Ordinal);
        if (!path.AsSpan().ContainsAny('{', '}'))
        {
            return null;
        }

        var trimmed = path.AsSpan().Trim('/');
        var afterAny = false;
        foreach (var range in trimmed.Split('/'))
        {
            var segment = trimmed[range];
            if (segment is "{*}" or "{**}")
            {
                if (afterAny)
                {
                    return $"invalid or unsupported path {path}, found in {field}. {{**}} is not the last operator";
                }

                afterAny = segment is "{**}";
            }
            else if (segment.ContainsAny('{', '}'))
            {
                return $"invalid or unsupported path {path}, found in {field}. Contains '{{' or '}}' beyond a supported path template";
            }
            else if (isTemplate && (segment.IsEmpty || segment.ContainsAnyExcept(Literal)))
            {
                return $"invalid or unsupported path {path}, found in {field}. Contains segment {segment} with invalid string literal";
            }
        }

        return WrongForEnvoy(path, field);
    }

    /// <summary>What Istio lets pass and Envoy then refuses, which would leave the rule without effect: refused here.</summary>
    private static string? WrongForEnvoy(string path, string field)
    {
        var braces = path.AsSpan().Count('{');
        var reason = path[0] != '/' ? "does not begin with '/'"
            : path.StartsWith("//", StringComparison.Ordinal) ? "begins with more than one '/'"
            : path.EndsWith("//", StringComparison.Ordinal) ? "ends with more than one '/'"
            : path.Length - 2 * braces > MaxLength ? $"is longer than {MaxLength} characters"
            : null;
        return reason is null ? null : $"invalid or unsupported path {path}, found in {field}. The template {reason}";
    }
}
