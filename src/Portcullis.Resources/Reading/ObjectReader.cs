using System.Collections.Immutable;

namespace Portcullis.Resources.Reading;

/// <summary>
/// Reads the fields of one mapping and remembers which names were asked for: what is left at <see cref="Finish"/> is unknown, and the
/// names asked for are what a misspelling is compared with. A wrong value is reported and read as absent, so all problems are found at once.
/// </summary>
internal sealed partial class ObjectReader
{
    private readonly MappingNode _node;
    private readonly List<string> _known;
    private readonly bool[] _taken;

    public ObjectReader(ReadContext context, MappingNode node, SourcePosition position, FieldPath path)
    {
        (Context, _node, Position, Path) = (context, node, position, path);
        _known = context.RentNames();
        _taken = node.Entries.Length == 0 ? [] : new bool[node.Entries.Length];
    }

    public ReadContext Context { get; }

    public FieldPath Path { get; }

    /// <summary>Where the mapping is: its key, or its first field as an item of a list.</summary>
    public SourcePosition Position { get; }

    /// <summary>No field at all, <c>{}</c>.</summary>
    public bool IsEmpty => _node.Entries.Length == 0;

    /// <summary>The mapping itself, to speak about.</summary>
    public Place Self => new(Context, Path, null, -1, Position);

    /// <summary>The field, whether it is there or not.</summary>
    public Place At(string name, int index = -1)
    {
        foreach (ref readonly var entry in _node.Entries.AsSpan())
        {
            if (Matches(entry.Key, name))
            {
                var position = index >= 0 && entry.Value is SequenceNode s && index < s.Items.Length ? s.Items[index].Position : entry.Position;
                return new(Context, Path, name, index, position);
            }
        }

        return new(Context, Path, name, index, Position);
    }

    /// <summary>The field is there and not null.</summary>
    public bool Has(string name)
    {
        foreach (ref readonly var entry in _node.Entries.AsSpan())
        {
            if (!entry.Value.IsNull && Matches(entry.Key, name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The field is there as <c>[]</c>.</summary>
    public bool HasEmptyList(string name)
    {
        foreach (ref readonly var entry in _node.Entries.AsSpan())
        {
            if (entry.Value is SequenceNode { Items.Length: 0 } && Matches(entry.Key, name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Fields of the API that have no effect on a gateway.</summary>
    public void Accept(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            Take(name, out _);
        }
    }

    /// <summary>A field of the API that would change what a gateway does and is not implemented.</summary>
    public void Unsupported(string name, string effect)
    {
        if (Take(name, out var entry) && !entry.Value.IsNull)
        {
            At(name).Warning($"not supported; {effect}", "remove the field if that is not what you want", ProblemCodes.Unsupported);
        }
    }

    public T? Object<T>(string name, Func<ObjectReader, T> read, bool required = false)
        where T : class
    {
        if (!Take(name, out var entry) || IsAbsent(entry, name, "a mapping"))
        {
            if (required)
            {
                At(name).Error($"`{name}` is required", $"add `{name}`", ProblemCodes.MissingField);
            }

            return null;
        }

        if (entry.Value is not MappingNode mapping)
        {
            WrongType(At(name), "a mapping", entry.Value);
            return null;
        }

        return ReadChild(mapping, entry.KeyPosition, new FieldPath(Path, name), read);
    }

    /// <summary>A mapping that counts as empty when it is absent.</summary>
    public T ObjectOrEmpty<T>(string name, Func<ObjectReader, T> read)
        where T : class =>
        Object(name, read) ?? ReadChild(new MappingNode(Position, []), Position, new FieldPath(Path, name), read);

    /// <summary>A mapping whose fields are not checked.</summary>
    public MappingNode? RawObject(string name) => Take(name, out var entry) ? entry.Value as MappingNode : null;

    /// <summary>A list of mappings; <paramref name="nullMessage"/> words the refusal of a null item.</summary>
    public ImmutableArray<T> List<T>(string name, Func<ObjectReader, int, T> read, Func<int, string>? nullMessage = null)
        where T : class
    {
        if (!TakeList(name, out var items))
        {
            return [];
        }

        var result = ImmutableArray.CreateBuilder<T>(items.Length);
        for (var i = 0; i < items.Length; i++)
        {
            var item = items[i];
            if (item is MappingNode mapping)
            {
                var index = i;
                result.Add(ReadChild(mapping, mapping.Position, new FieldPath(Path, name, i), reader => read(reader, index)));
            }
            else if (item.IsNull)
            {
                At(name, i).Error(nullMessage?.Invoke(i) ?? "the item is null", "remove the item or fill it in", ProblemCodes.WrongType);
            }
            else
            {
                WrongType(At(name, i), "a mapping", item);
            }
        }

        return result.DrainToImmutable();
    }

    public ImmutableDictionary<string, T> Map<T>(string name, Func<ObjectReader, T> read)
        where T : class
    {
        if (!TakeMapping(name, out var mapping))
        {
            return ImmutableDictionary<string, T>.Empty;
        }

        var result = ImmutableDictionary.CreateBuilder<string, T>(StringComparer.Ordinal);
        foreach (var entry in mapping.Entries)
        {
            var path = new FieldPath(new FieldPath(Path, name), entry.Key, isKey: true);
            if (entry.Value is MappingNode value)
            {
                result[entry.Key] = ReadChild(value, entry.KeyPosition, path, read);
            }
            else
            {
                WrongType(new Place(Context, path, null, -1, entry.Position), "a mapping", entry.Value);
            }
        }

        return result.ToImmutable();
    }

    /// <summary>Reports the fields that no reader asked for.</summary>
    public void Finish()
    {
        for (var i = 0; i < _taken.Length; i++)
        {
            if (!_taken[i])
            {
                ref readonly var entry = ref _node.Entries[i];
                var near = FieldName.Nearest(entry.Key, _known);
                Context.Add(ProblemSeverity.Error, ProblemCodes.UnknownField, entry.KeyPosition, Path.Child(entry.Key), $"unknown field `{entry.Key}`",
                    near is not null ? $"did you mean `{near}`?" : _known.Count is > 0 and <= 12 ? $"known here: {string.Join(", ", _known)}" : "remove it, or look its name up in the API reference",
                    near is not null && !Has(near) ? new(entry.Key, near) : null);
            }
        }

        Context.ReturnNames(_known);
    }

    /// <summary>Says what was expected and what was found, with the way to write it right.</summary>
    private static void WrongType(Place place, string expected, Node found, string? better = null)
    {
        var text = expected == "text";
        var (what, remedy) = found switch
        {
            SequenceNode => ("a list", text ? "give one value, not a list" : $"write {expected} here"),
            MappingNode => ("a mapping", $"write {expected} here"),
            ScalarNode { Kind: ScalarKind.Null } => ("nothing", "give it a value or remove the field"),
            ScalarNode { Kind: ScalarKind.Boolean } s => (s.Text is "true" or "false" ? $"the boolean `{s.Text}`" : $"`{s.Text}`, which YAML reads as a boolean", text ? $"quote it: \"{s.Text}\"" : $"write {expected} here"),
            ScalarNode { Kind: ScalarKind.Integer or ScalarKind.Float } s => ($"the number `{s.Text}`", text ? $"quote it: \"{s.Text}\"" : $"write {expected} here"),
            ScalarNode s => ($"the text `{Shorten(s.Text)}`", expected switch
            {
                "a number" or "a whole number" => "write the number without quotes",
                "a boolean" => "write true or false without quotes",
                "a list" or "a list of texts" => $"write it as a list: [{Shorten(s.Text)}]",
                _ => $"write {expected} here",
            }),
            _ => ("something else", $"write {expected} here"),
        };
        var fix = text && found is ScalarNode { Kind: ScalarKind.Boolean or ScalarKind.Integer or ScalarKind.Float } plain ? new SuggestedFix(plain.Text, plain.Text, IsQuoted: true) : null;
        place.Error($"expected {expected}, found {what}", better ?? remedy, ProblemCodes.WrongType, fix);
    }

    private static string Shorten(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 57), "...");

    private T ReadChild<T>(MappingNode mapping, SourcePosition position, FieldPath path, Func<ObjectReader, T> read)
    {
        var reader = new ObjectReader(Context, mapping, position, path);
        var result = read(reader);
        reader.Finish();
        return result;
    }

    private bool Take(string name, out MappingEntry found)
    {
        _known.Add(name);
        found = default;
        var has = false;
        for (var i = 0; i < _taken.Length; i++)
        {
            ref readonly var entry = ref _node.Entries[i];
            if (!Matches(entry.Key, name))
            {
                continue;
            }

            _taken[i] = true;
            if (has)
            {
                Context.Add(ProblemSeverity.Error, ProblemCodes.DuplicateKey, entry.KeyPosition, Path.Child(name),
                    $"`{entry.Key}` and `{found.Key}` are the same field", "keep one of the two");
                continue;
            }

            (found, has) = (entry, true);
        }

        return has;
    }

    private bool Matches(string key, string name) =>
        key == name || (Context.AcceptsSnakeCase && key.Contains('_', StringComparison.Ordinal) && FieldName.IsSnakeCaseOf(key, name));

    /// <summary>Null means absent; for a list or mapping of a policy it is refused, as the API server does.</summary>
    private bool IsAbsent(in MappingEntry entry, string name, string expected)
    {
        if (!entry.Value.IsNull)
        {
            return false;
        }

        if (Context.RefusesNull)
        {
            WrongType(At(name), expected, entry.Value);
        }

        return true;
    }

    private bool TakeList(string name, out Node[] items)
    {
        items = [];
        if (!Take(name, out var entry) || IsAbsent(entry, name, "a list"))
        {
            return false;
        }

        if (entry.Value is not SequenceNode sequence)
        {
            WrongType(At(name), "a list", entry.Value);
            return false;
        }

        items = sequence.Items;
        return true;
    }

    private bool TakeMapping(string name, out MappingNode mapping)
    {
        mapping = null!;
        if (!Take(name, out var entry) || IsAbsent(entry, name, "a mapping"))
        {
            return false;
        }

        if (entry.Value is not MappingNode found)
        {
            WrongType(At(name), "a mapping", entry.Value);
            return false;
        }

        mapping = found;
        return true;
    }
}
