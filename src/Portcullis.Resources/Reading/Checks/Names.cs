namespace Portcullis.Resources.Reading;

/// <summary>Kubernetes' and HTTP's rules for names.</summary>
internal static class Names
{
    /// <summary>RFC 1123 label: lower-case letters, digits and inner hyphens, at most 63.</summary>
    public static bool IsLabel(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > 63 || name[0] == '-' || name[^1] == '-')
        {
            return false;
        }

        foreach (var c in name)
        {
            if (!char.IsAsciiDigit(c) && !char.IsAsciiLetterLower(c) && c != '-')
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>RFC 1123 subdomain: labels joined by dots, at most 253.</summary>
    public static bool IsSubdomain(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > 253)
        {
            return false;
        }

        foreach (var label in name.Split('.'))
        {
            if (!IsLabel(name[label]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>RFC 9110 token, which a header or method name is.</summary>
    public static bool IsToken(ReadOnlySpan<char> name)
    {
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && !"!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal))
            {
                return false;
            }
        }

        return !name.IsEmpty;
    }

    /// <summary>The CRD's stricter <c>^[-_A-Za-z0-9]+$</c> of a claim's output header.</summary>
    public static bool IsClaimHeader(ReadOnlySpan<char> name)
    {
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
            {
                return false;
            }
        }

        return !name.IsEmpty;
    }
}
