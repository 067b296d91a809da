namespace Portcullis.Resources.Reading;

/// <summary>Checks of service accounts and trust domains, in sources and in conditions (authorization.md §7.1).</summary>
internal static class SourceValues
{
    private const int MaxServiceAccounts = 16;
    private const int MaxServiceAccountLength = 320;

    /// <summary>Fields of a source that a CUSTOM policy cannot have.</summary>
    public static readonly string[] NotWithCustom =
    [
        "namespaces", "notNamespaces", "serviceAccounts", "notServiceAccounts", "trustDomains", "notTrustDomains",
        "principals", "notPrincipals", "requestPrincipals", "notRequestPrincipals",
    ];

    public static void CheckCount(ObjectReader reader, string field, int count)
    {
        if (count > MaxServiceAccounts)
        {
            reader.At(field).Error($"may not have more than {MaxServiceAccounts} values", "split the source");
        }
    }

    public static void CheckServiceAccount(string value, string field, Place place)
    {
        if (WrongServiceAccount(value, field) is { } wrong)
        {
            place.Error(wrong, "write it as name or namespace/name");
        }
    }

    public static string? WrongServiceAccount(string value, string field)
    {
        if (value.Length > MaxServiceAccountLength)
        {
            return $"value cannot exceed {MaxServiceAccountLength} characters, found in {field}";
        }

        if (value.Contains('*', StringComparison.Ordinal))
        {
            return $"wildcard not allowed, found in {field}";
        }

        var parts = value.Split('/');
        return parts.Length > 2 || Array.Exists(parts, p => p.Length == 0)
            ? $"expected format 'serviceAccount' or 'namespace/serviceAccount', found \"{value}\" in {field}"
            : null;
    }

    public static void CheckTrustDomain(string value, string field, Place place)
    {
        if (WrongTrustDomain(value, field) is { } wrong)
        {
            place.Error(wrong, "write it as cluster.local, *.example or prod-*");
        }
    }

    public static string? WrongTrustDomain(string value, string field) =>
        value.Count(c => c == '*') > 1 ? $"at most one wildcard is allowed, found in {field}"
        : value.IndexOf('*', StringComparison.Ordinal) is var star && star > 0 && star < value.Length - 1 ? $"wildcard is only allowed at the start or end, found in {field}"
        : value.Contains('/', StringComparison.Ordinal) ? $"trust domain must not contain '/', found in {field}"
        : null;
}
