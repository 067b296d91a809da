using Portcullis.Matching;

namespace Portcullis.Policy.Authorization;

/// <summary>
/// One value of <c>principals</c>, <c>namespaces</c>, <c>serviceAccounts</c> or <c>trustDomains</c>, held against a name of the client's certificate
/// (authorization.md §5). Written without regular expressions: there is nothing to escape (CVE-2026-39350).
/// </summary>
internal readonly struct PeerIdentityMatcher
{
    private const string Scheme = "spiffe://";

    private readonly Form _form;
    private readonly StringMatcher _whole;
    private readonly string _first;
    private readonly string _second;

    private PeerIdentityMatcher(Form form, StringMatcher whole, string first = "", string second = "")
    {
        _form = form;
        _whole = whole;
        _first = first;
        _second = second;
    }

    private enum Form : byte
    {
        Whole,
        PrincipalSuffix,
        Namespace,
        ServiceAccount,
        TrustDomain,
    }

    public static PeerIdentityMatcher Principal(string pattern) => pattern switch
    {
        "*" => new(Form.Whole, StringMatcher.NonEmpty),
        ['*', .. var suffix] => new(Form.PrincipalSuffix, StringMatcher.Suffix(suffix), suffix),
        [.. var prefix, '*'] => new(Form.Whole, StringMatcher.Prefix(Scheme + prefix)),
        _ => new(Form.Whole, StringMatcher.Exact(Scheme + pattern)),
    };

    /// <summary>A <c>*</c> anywhere stands for any text, slashes too.</summary>
    public static PeerIdentityMatcher Namespace(string pattern) => new(Form.Namespace, default, $"*/ns/{pattern}/*");

    public static PeerIdentityMatcher ServiceAccount(string ns, string name) =>
        new(Form.ServiceAccount, StringMatcher.Prefix(Scheme), $"/ns/{ns}/", $"sa/{name}");

    /// <param name="pattern">No <c>/</c>, and at most one <c>*</c>, at an end.</param>
    public static PeerIdentityMatcher TrustDomain(string pattern) => pattern switch
    {
        "*" => new(Form.Whole, StringMatcher.Prefix(Scheme)),
        ['*', .. var suffix] => new(Form.TrustDomain, StringMatcher.Suffix(suffix)),
        [.. var prefix, '*'] => new(Form.TrustDomain, StringMatcher.Prefix(prefix)),
        _ => new(Form.TrustDomain, StringMatcher.Exact(pattern)),
    };

    /// <summary>Whether any name in the certificate matches: URI names, then DNS names, then the subject.</summary>
    public bool IsMatch(PeerCertificate? certificate)
    {
        if (certificate is null)
        {
            return false;
        }

        for (var i = 0; i < certificate.UriNames.Count; i++)
        {
            if (IsMatch(certificate.UriNames[i]))
            {
                return true;
            }
        }

        for (var i = 0; i < certificate.DnsNames.Count; i++)
        {
            if (IsMatch(certificate.DnsNames[i]))
            {
                return true;
            }
        }

        return IsMatch(certificate.Subject);
    }

    /// <summary>What a name must have to match.</summary>
    public bool TryGetKey(out IndexKey key)
    {
        key = default;
        return _form == Form.Whole && IndexKey.TryCreate(IndexField.Peer, in _whole, out key);
    }

    private bool IsMatch(ReadOnlySpan<char> name) => _form switch
    {
        Form.Whole => _whole.IsMatch(name),
        Form.PrincipalSuffix => name.StartsWith(Scheme) && _whole.IsMatch(name[Scheme.Length..]),
        Form.Namespace => IsGlobMatch(_first, name),
        Form.ServiceAccount => IsServiceAccountMatch(name),
        _ => IsTrustDomainMatch(name),
    };

    private bool IsTrustDomainMatch(ReadOnlySpan<char> name)
    {
        if (!name.StartsWith(Scheme))
        {
            return false;
        }

        var domain = name[Scheme.Length..];
        var end = domain.IndexOf('/');
        return end >= 0 && _whole.IsMatch(domain[..end]);
    }

    /// <summary><c>spiffe://.+/ns/NS/(.+/|)sa/SA(/.+)?</c></summary>
    private bool IsServiceAccountMatch(ReadOnlySpan<char> name)
    {
        if (!name.StartsWith(Scheme))
        {
            return false;
        }

        for (var rest = name[Scheme.Length..]; !rest.IsEmpty;)
        {
            var at = rest[1..].IndexOf(_first); // something stands before it
            if (at < 0)
            {
                return false;
            }

            rest = rest[(at + 1)..];
            if (HasServiceAccount(rest[_first.Length..]))
            {
                return true;
            }
        }

        return false;
    }

    private bool HasServiceAccount(ReadOnlySpan<char> text)
    {
        for (var start = 0; start < text.Length;)
        {
            var rest = text[start..];
            if (start != 1 && rest.StartsWith(_second) && (rest.Length == _second.Length || rest[_second.Length..] is ['/', _, ..]))
            {
                return true; // at 1 there would be nothing but a slash before it
            }

            var slash = rest.IndexOf('/');
            if (slash < 0)
            {
                return false;
            }

            start += slash + 1;
        }

        return false;
    }

    private static bool IsGlobMatch(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        var star = pattern.IndexOf('*');
        if (!text.StartsWith(pattern[..star]))
        {
            return false;
        }

        text = text[star..];
        pattern = pattern[(star + 1)..];
        while ((star = pattern.IndexOf('*')) >= 0)
        {
            var at = text.IndexOf(pattern[..star]);
            if (at < 0)
            {
                return false;
            }

            text = text[(at + star)..];
            pattern = pattern[(star + 1)..];
        }

        return text.EndsWith(pattern);
    }
}
