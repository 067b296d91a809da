namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates one <c>when</c> item (authorization.md §6.3, §7.1).</summary>
internal static class ConditionReader
{
    private static readonly string[] Keys =
    [
        "request.headers[name]", "source.ip", "remote.ip", "source.namespace", "source.serviceAccount", "source.principal", "source.trustDomain",
        "request.auth.principal", "request.auth.audiences", "request.auth.presenter", "request.auth.claims[name]",
        "destination.ip", "destination.port", "connection.sni", "experimental.envoy.filters.name[key]",
    ];

    public static Condition Read(ObjectReader reader, PolicyAction action)
    {
        var key = reader.RequiredText("key", "`key` must not be empty", $"name an attribute: {string.Join(", ", Keys)}");
        var condition = new Condition { Key = key, Values = reader.Texts("values"), NotValues = reader.Texts("notValues") };
        if (key.Length == 0)
        {
            return condition;
        }

        if ((!reader.Has("values") || reader.HasEmptyList("values")) && (!reader.Has("notValues") || reader.HasEmptyList("notValues")))
        {
            reader.Self.Error($"at least one of `values` or `notValues` must be set for key {key}", "say which values the attribute must or must not have", ProblemCodes.MissingField);
        }

        if (WrongKey(key) is { } wrong)
        {
            var field = condition.Values.IsEmpty && !condition.NotValues.IsEmpty ? "notValue" : "value";
            reader.At("key").Error($"invalid `{field}` for `key` {key}: {wrong}",
                Near(key) is { } near ? $"did you mean `{near}`?" : $"known keys: {string.Join(", ", Keys)}");
        }
        else
        {
            Check(reader, key, "value", "values", condition.Values);
            Check(reader, key, "notValue", "notValues", condition.NotValues);
            if (action is PolicyAction.Custom && (key is "source.namespace" or "source.serviceAccount" or "source.trustDomain" or "source.principal" || key.StartsWith("request.auth.", StringComparison.Ordinal)))
            {
                reader.At("key").Error($"{key} is currently not supported with CUSTOM action", "the external authorizer runs before any identity is known");
            }
        }

        return condition;
    }

    /// <summary>The known key whose part before the bracket is nearest.</summary>
    private static string? Near(string key)
    {
        var near = FieldName.Nearest(key.Split('[')[0], Keys.Select(k => k.Split('[')[0]));
        return near is null || key.StartsWith("destination.", StringComparison.Ordinal) ? null : Keys.First(k => k.Split('[')[0] == near);
    }

    private static void Check(ObjectReader reader, string key, string word, string field, IReadOnlyList<string> values)
    {
        for (var i = 0; i < values.Count; i++)
        {
            if (WrongValue(key, values[i]) is { } wrong)
            {
                reader.At(field, i).Error($"invalid `{word}` for `key` {key}: {wrong}", "correct or remove the value");
            }
        }
    }

    /// <summary>What is wrong with the attribute's name; <see langword="null"/> when nothing is.</summary>
    private static string? WrongKey(string key)
    {
        switch (key)
        {
            case "source.ip" or "remote.ip" or "source.namespace" or "source.serviceAccount" or "source.principal" or "source.trustDomain"
                or "request.auth.principal" or "request.auth.audiences" or "request.auth.presenter"
                or "destination.ip" or "destination.port" or "connection.sni":
                return null;
            case "destination.namespace":
                return $"attribute {key} is replaced by the metadata.namespace";
            case "destination.name" or "destination.user":
                return $"deprecated attribute {key}: only supported in v1alpha1";
        }

        if (key.StartsWith("destination.labels", StringComparison.Ordinal))
        {
            return $"attribute {key} is replaced by the workload selector";
        }

        var isMap = key.StartsWith("request.headers", StringComparison.Ordinal)
            || key.StartsWith("request.auth.claims", StringComparison.Ordinal)
            || key.StartsWith("experimental.envoy.filters.", StringComparison.Ordinal);
        var open = key.IndexOf('[', StringComparison.Ordinal);
        if (!isMap || (open >= 0 && key[..open] is not ("request.headers" or "request.auth.claims") && !key.StartsWith("experimental.envoy.filters.", StringComparison.Ordinal)))
        {
            return $"unknown attribute: {key}";
        }

        return key.EndsWith(']') && open > 0 && open < key.Length - 2 ? null : $"bad key ({key}): should have format a[b]";
    }

    private static string? WrongValue(string key, string value)
    {
        if (value.Length == 0)
        {
            return $"empty value not allowed, found in {key}";
        }

        return key switch
        {
            "source.ip" or "remote.ip" or "destination.ip" => Addresses.WrongBlock(value),
            "destination.port" => Addresses.WrongPort(value),
            "source.serviceAccount" => SourceValues.WrongServiceAccount(value, key),
            "source.trustDomain" => SourceValues.WrongTrustDomain(value, key),
            _ => null,
        };
    }
}
