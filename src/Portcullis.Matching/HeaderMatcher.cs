using System.Buffers;

namespace Portcullis.Matching;

/// <summary>
/// Tests a request header, or a pseudo-header: <c>:method</c>, <c>:authority</c>, <c>:scheme</c>, and <c>:path</c>, which is the path with its query. An
/// absent header matches nothing.
/// </summary>
/// <param name="name">Compared without case.</param>
/// <param name="values">Any of them will do.</param>
public sealed class HeaderMatcher(string name, params StringMatcher[] values)
{
    private const int StackLimit = 256;
    private readonly PseudoHeader _pseudo = name.ToLowerInvariant() switch
    {
        ":method" => PseudoHeader.Method,
        ":authority" => PseudoHeader.Authority,
        ":scheme" => PseudoHeader.Scheme,
        ":path" => PseudoHeader.Path,
        _ => PseudoHeader.None,
    };

    private enum PseudoHeader : byte
    {
        None,
        Method,
        Authority,
        Scheme,
        Path,
    }

    /// <summary>The header's name as written.</summary>
    public string Name => name;

    /// <summary>Whether the header has a line at all.</summary>
    public bool IsPresent<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes =>
        _pseudo != PseudoHeader.None || request.GetHeader(name).Count > 0;

    /// <summary>Whether any one line matches by itself: the test of policies (CVE-2026-26308, CVE-2026-31838).</summary>
    public bool IsAnyLineMatch<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes =>
        IsAnyLineMatch(in request, request.Path);

    /// <summary>As <see cref="IsAnyLineMatch{TRequest}(ref readonly TRequest)"/>, with another reading of the path.</summary>
    public bool IsAnyLineMatch<TRequest>(ref readonly TRequest request, string path) where TRequest : struct, IRequestAttributes
    {
        if (_pseudo != PseudoHeader.None)
        {
            return IsPseudoMatch(in request, path);
        }

        var lines = request.GetHeader(name);
        for (var i = 0; i < lines.Count; i++)
        {
            if (StringMatcher.AnyMatch(values, lines[i]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether the lines, joined by commas, match as one value: the test of routes.</summary>
    public bool IsJoinedMatch<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes
    {
        if (_pseudo != PseudoHeader.None)
        {
            return IsPseudoMatch(in request, request.Path);
        }

        var lines = request.GetHeader(name);
        if (lines.Count < 2)
        {
            return lines.Count == 1 && StringMatcher.AnyMatch(values, lines[0]);
        }

        var length = lines.Count - 1;
        for (var i = 0; i < lines.Count; i++)
        {
            length += lines[i].Length;
        }

        char[]? rented = null;
        var buffer = length <= StackLimit ? stackalloc char[StackLimit] : rented = ArrayPool<char>.Shared.Rent(length);
        var position = 0;
        for (var i = 0; i < lines.Count; i++)
        {
            if (i > 0)
            {
                buffer[position++] = ',';
            }

            lines[i].CopyTo(buffer[position..]);
            position += lines[i].Length;
        }

        var matches = StringMatcher.AnyMatch(values, buffer[..length]);
        Return(rented);
        return matches;
    }

    private bool IsPseudoMatch<TRequest>(ref readonly TRequest request, string path) where TRequest : struct, IRequestAttributes
    {
        switch (_pseudo)
        {
            case PseudoHeader.Method:
                return StringMatcher.AnyMatch(values, request.Method);
            case PseudoHeader.Authority:
                return StringMatcher.AnyMatch(values, request.Authority);
            case PseudoHeader.Scheme:
                return StringMatcher.AnyMatch(values, request.Scheme);
        }

        if (request.Query is not { } query)
        {
            return StringMatcher.AnyMatch(values, path);
        }

        var length = path.Length + 1 + query.Length;
        char[]? rented = null;
        var buffer = length <= StackLimit ? stackalloc char[StackLimit] : rented = ArrayPool<char>.Shared.Rent(length);
        path.CopyTo(buffer);
        buffer[path.Length] = '?';
        query.CopyTo(buffer[(path.Length + 1)..]);
        var matches = StringMatcher.AnyMatch(values, buffer[..length]);
        Return(rented);
        return matches;
    }

    private static void Return(char[]? rented)
    {
        if (rented is not null)
        {
            ArrayPool<char>.Shared.Return(rented, clearArray: true);
        }
    }
}
