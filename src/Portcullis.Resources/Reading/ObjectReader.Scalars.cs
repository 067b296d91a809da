using System.Collections.Immutable;

namespace Portcullis.Resources.Reading;

internal sealed partial class ObjectReader
{
    /// <summary>A text; <paramref name="remedy"/> replaces the usual advice when something else stands there.</summary>
    public string? Text(string name, string? remedy = null)
    {
        if (!Take(name, out var entry) || entry.Value.IsNull)
        {
            return null;
        }

        if (entry.Value is ScalarNode { Kind: ScalarKind.Text } scalar)
        {
            return scalar.Text;
        }

        WrongType(At(name), "text", entry.Value, remedy);
        return null;
    }

    /// <summary>A text that must be there and not be empty; empty after a report.</summary>
    public string RequiredText(string name, string? missing = null, string? remedy = null)
    {
        var before = Context.Errors;
        var text = Text(name);
        if (string.IsNullOrEmpty(text) && Context.Errors == before)
        {
            At(name).Error(missing ?? $"`{name}` is required", remedy ?? $"add `{name}`", ProblemCodes.MissingField);
        }

        return text ?? "";
    }

    public bool? Boolean(string name)
    {
        if (!Take(name, out var entry) || entry.Value.IsNull)
        {
            return null;
        }

        if (entry.Value is ScalarNode { Kind: ScalarKind.Boolean } scalar)
        {
            return PlainScalar.IsTrue(scalar.Text);
        }

        WrongType(At(name), "a boolean", entry.Value);
        return null;
    }

    /// <summary>A whole number within bounds.</summary>
    public int? Integer(string name, int min, int max, string? remedy = null)
    {
        if (!Take(name, out var entry) || entry.Value.IsNull)
        {
            return null;
        }

        return IntegerOf(entry.Value, At(name), min, max, remedy);
    }

    public double? Number(string name, double min, double max)
    {
        if (!Take(name, out var entry) || entry.Value.IsNull)
        {
            return null;
        }

        if (entry.Value is not ScalarNode { Kind: ScalarKind.Integer or ScalarKind.Float } scalar || !PlainScalar.TryNumber(scalar.Text, out var value))
        {
            WrongType(At(name), "a number", entry.Value);
            return null;
        }

        if (value < min || value > max)
        {
            At(name).Error(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{scalar.Text} is not within {min} and {max}"));
            return null;
        }

        return value;
    }

    /// <summary>A Go duration (<c>1.5s</c>, <c>100ms</c>, <c>1h30m</c>) of at least 1 ms, or also zero where that has a meaning.</summary>
    public TimeSpan? Duration(string name, bool allowsZero = false)
    {
        if (!Take(name, out var entry) || entry.Value.IsNull)
        {
            return null;
        }

        var text = entry.Value is ScalarNode scalar ? scalar.Text : null;
        if (text is null || !GoDuration.TryParse(text, out var value))
        {
            At(name).Error("must be a valid duration greater than 1ms", text is not null && PlainScalar.TryNumber(text, out _) ? $"give it a unit: {text}s" : "write it like 5s, 500ms or 1h30m");
            return null;
        }

        if (allowsZero && value == TimeSpan.Zero)
        {
            return value;
        }

        if (value < TimeSpan.FromMilliseconds(1))
        {
            At(name).Error("duration must be greater than 1ms", "write it like 5s, 500ms or 1h30m");
            return null;
        }

        if (value.Ticks % TimeSpan.TicksPerMillisecond != 0)
        {
            At(name).Error("only durations to ms precision are supported", "round it to whole milliseconds");
            return null;
        }

        return value;
    }

    public T Enumerated<T>(string name, T absent, params ReadOnlySpan<(string Text, T Value)> values)
    {
        var before = Context.Errors;
        var text = Text(name);
        if (text is null || Context.Errors != before)
        {
            return absent;
        }

        foreach (var (spelling, value) in values)
        {
            if (spelling == text)
            {
                return value;
            }
        }

        var names = new string[values.Length];
        for (var i = 0; i < names.Length; i++)
        {
            names[i] = values[i].Text;
        }

        var near = FieldName.Nearest(text, names);
        At(name).Error($"Unsupported value: \"{text}\"", (near is null ? "" : $"did you mean `{near}`? ") + $"supported: {string.Join(", ", names)}");
        return absent;
    }

    public ImmutableArray<string> Texts(string name, TextCheck? check = null)
    {
        if (!TakeList(name, out var items))
        {
            return [];
        }

        var result = ImmutableArray.CreateBuilder<string>(items.Length);
        for (var i = 0; i < items.Length; i++)
        {
            var place = new Place(Context, Path, name, i, items[i].Position);
            if (items[i] is ScalarNode { Kind: ScalarKind.Text } scalar)
            {
                result.Add(scalar.Text);
                check?.Invoke(scalar.Text, place);
            }
            else
            {
                WrongType(place, "text", items[i]);
            }
        }

        return result.DrainToImmutable();
    }

    public ImmutableDictionary<string, string> TextMap(string name, Action<string, string, Place>? check = null)
    {
        if (!TakeMapping(name, out var mapping) || mapping.Entries.Length == 0)
        {
            return ImmutableDictionary<string, string>.Empty;
        }

        var result = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var entry in mapping.Entries)
        {
            var place = new Place(Context, new FieldPath(new FieldPath(Path, name), entry.Key, isKey: true), null, -1, entry.Position);
            if (entry.Value is ScalarNode { Kind: ScalarKind.Text } scalar)
            {
                result[entry.Key] = scalar.Text;
                check?.Invoke(entry.Key, scalar.Text, place);
            }
            else
            {
                WrongType(place, "text", entry.Value);
            }
        }

        return result.ToImmutable();
    }

    /// <summary>A map whose values must never be shown, whatever is wrong with them.</summary>
    public void SecretMap(string name, Action<string, string, Place> take)
    {
        if (!TakeMapping(name, out var mapping))
        {
            return;
        }

        foreach (var entry in mapping.Entries)
        {
            var place = new Place(Context, new FieldPath(new FieldPath(Path, name), entry.Key, isKey: true), null, -1, entry.Position);
            switch (entry.Value)
            {
                case ScalarNode { Kind: ScalarKind.Text } scalar:
                    take(entry.Key, scalar.Text, place);
                    break;
                case { IsNull: true }:
                    take(entry.Key, "", place);
                    break;
                default:
                    place.Error("expected text", "quote the value", ProblemCodes.WrongType);
                    break;
            }
        }
    }

    public ImmutableDictionary<string, int> PortMap(string name) => IntegerMap(name, 1, 65535).ToImmutableDictionary(e => e.Key, e => e.Value, StringComparer.Ordinal);

    /// <summary>A map to whole numbers within bounds, in the order of the text.</summary>
    public ImmutableArray<KeyValuePair<string, int>> IntegerMap(string name, int min, int max)
    {
        if (!TakeMapping(name, out var mapping))
        {
            return [];
        }

        var result = ImmutableArray.CreateBuilder<KeyValuePair<string, int>>(mapping.Entries.Length);
        foreach (var entry in mapping.Entries)
        {
            var place = new Place(Context, new FieldPath(new FieldPath(Path, name), entry.Key, isKey: true), null, -1, entry.Position);
            if (IntegerOf(entry.Value, place, min, max, null) is { } number)
            {
                result.Add(new(entry.Key, number));
            }
        }

        return result.DrainToImmutable();
    }

    /// <summary>A list of whole numbers within bounds.</summary>
    public ImmutableArray<int> Integers(string name, int min, int max)
    {
        if (!TakeList(name, out var items))
        {
            return [];
        }

        var result = ImmutableArray.CreateBuilder<int>(items.Length);
        for (var i = 0; i < items.Length; i++)
        {
            if (IntegerOf(items[i], new Place(Context, Path, name, i, items[i].Position), min, max, null) is { } number)
            {
                result.Add(number);
            }
        }

        return result.DrainToImmutable();
    }

    /// <summary>Text or a whole number, as <c>targetPort</c> takes it.</summary>
    public string? TextOrInteger(string name)
    {
        if (!Take(name, out var entry) || entry.Value.IsNull)
        {
            return null;
        }

        if (entry.Value is ScalarNode { Kind: ScalarKind.Text or ScalarKind.Integer } scalar)
        {
            return scalar.Text;
        }

        WrongType(At(name), "text or a whole number", entry.Value);
        return null;
    }

    private static int? IntegerOf(Node node, Place place, int min, int max, string? remedy)
    {
        if (node is not ScalarNode { Kind: ScalarKind.Integer or ScalarKind.Float } scalar
            || !PlainScalar.TryNumber(scalar.Text, out var value)
            || value != Math.Floor(value))
        {
            WrongType(place, "a whole number", node);
            return null;
        }

        if (value < min || value > max)
        {
            place.Error($"{scalar.Text} is not within {min} and {max}", remedy);
            return null;
        }

        return (int)value;
    }
}
