using Portcullis.Matching;

namespace Portcullis.Policy.Authorization;

/// <summary>One value of <c>paths</c>: a template when it has an operator, else text with a star at one end at most.</summary>
internal readonly struct PathMatcher
{
    private readonly PathTemplate? _template;
    private readonly StringMatcher _text;

    private PathMatcher(PathTemplate? template, StringMatcher text) => (_template, _text) = (template, text);

    public static bool TryCompile(string value, out PathMatcher matcher, out string? reason)
    {
        matcher = default;
        reason = null;
        PathTemplate? template = null;
        if (PathTemplate.IsTemplate(value))
        {
            if (!PathTemplate.TryCompile(value, out template, out reason))
            {
                return false;
            }
        }
        else if (value.AsSpan().ContainsAny('{', '}'))
        {
            reason = "contains `{` or `}` beyond a supported path template";
            return false;
        }

        matcher = new PathMatcher(template, template is null ? StringMatcher.Policy(value) : default);
        return true;
    }

    public bool IsMatch(string path) => _template is null ? _text.IsMatch(path) : _template.IsMatch(path);

    /// <summary>What a path must have to match.</summary>
    public bool TryGetKey(out IndexKey key)
    {
        if (_template is null)
        {
            return IndexKey.TryCreate(IndexField.Path, in _text, out key);
        }

        key = new IndexKey(IndexField.Path, LiteralPlace.Beginning, _template.LiteralPrefix);
        return true;
    }
}
