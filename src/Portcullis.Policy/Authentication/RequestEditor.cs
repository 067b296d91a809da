using System.Collections.Immutable;
using Portcullis.Matching;

namespace Portcullis.Policy.Authentication;

/// <summary>Puts together the edits of one request, on top of those that every request gets.</summary>
internal ref struct RequestEditor(ImmutableArray<string> sanitised)
{
    private readonly ImmutableArray<string> _sanitised = sanitised;
    private ImmutableArray<string>.Builder? _removed;
    private ImmutableArray<AppendedHeader>.Builder? _cookies;
    private bool _replacesQuery;
    private string? _query;

    /// <summary>Takes the token of a location out of the request: all lines of the header, all parameters or cookies of the name.</summary>
    public void Remove<TRequest>(TokenLocation location, ref readonly TRequest request) where TRequest : struct, IRequestAttributes
    {
        switch (location.Kind)
        {
            case TokenLocationKind.Header:
                RemoveHeader(location.Name);
                break;
            case TokenLocationKind.Parameter:
                RemoveParameter(location.Name, in request, keepFirst: false);
                break;
            default:
                RemoveCookie(location.Name, in request);
                break;
        }
    }

    /// <summary>Leaves only the first of the parameters of a name.</summary>
    public void RemoveRepeated<TRequest>(TokenLocation parameter, ref readonly TRequest request) where TRequest : struct, IRequestAttributes =>
        RemoveParameter(parameter.Name, in request, keepFirst: true);

    /// <returns><see langword="null"/> when there is nothing to do.</returns>
    public readonly RequestEdits? Build(ImmutableArray<AppendedHeader> outputs, RequestEdits? sanitising)
    {
        if (_removed is null && !_replacesQuery && outputs.IsEmpty)
        {
            return sanitising;
        }

        return new(
            _removed is null ? _sanitised : [.. _sanitised, .. _removed],
            _cookies is null ? outputs : [.. outputs, .. _cookies],
            _replacesQuery,
            _query);
    }

    private void RemoveHeader(string name)
    {
        if (!Contains(_sanitised.AsSpan(), name) && (_removed is null || !_removed.Contains(name, StringComparer.OrdinalIgnoreCase)))
        {
            (_removed ??= ImmutableArray.CreateBuilder<string>()).Add(name);
        }
    }

    private void RemoveParameter<TRequest>(string name, ref readonly TRequest request, bool keepFirst) where TRequest : struct, IRequestAttributes
    {
        if ((_replacesQuery ? _query : request.Query) is not { } query)
        {
            return;
        }

        var rest = QueryParameters.Remove(query, QueryParameters.LookupKey(name), keepFirst);
        if (!ReferenceEquals(rest, query))
        {
            (_replacesQuery, _query) = (true, rest);
        }
    }

    private void RemoveCookie<TRequest>(string name, ref readonly TRequest request) where TRequest : struct, IRequestAttributes
    {
        if (Contains(_sanitised.AsSpan(), "cookie"))
        {
            return;
        }

        if (_cookies is null)
        {
            RemoveHeader("cookie");
            _cookies = ImmutableArray.CreateBuilder<AppendedHeader>();
            var lines = request.GetHeader("cookie");
            for (var i = 0; i < lines.Count; i++)
            {
                _cookies.Add(new("cookie", lines[i]));
            }
        }

        for (var i = _cookies.Count - 1; i >= 0; i--)
        {
            if (Cookies.Remove(_cookies[i].Value, name) is { } rest)
            {
                _cookies[i] = new("cookie", rest);
            }
            else
            {
                _cookies.RemoveAt(i);
            }
        }
    }

    private static bool Contains(ReadOnlySpan<string> names, string name)
    {
        foreach (var one in names)
        {
            if (string.Equals(one, name, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
