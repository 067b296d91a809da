namespace Portcullis.Resources.Reading;

/// <summary>Fields that have a short form beside the long one.</summary>
internal sealed partial class ObjectReader
{
    /// <summary>The value as it stands; <see langword="null"/> when it is absent or null.</summary>
    public Node? Raw(string name) => Take(name, out var entry) && !entry.Value.IsNull ? entry.Value : null;

    /// <summary>A scalar for short, or a mapping that says more.</summary>
    /// <param name="name">The field.</param>
    /// <param name="expected">Both forms in words, for a report about a list.</param>
    /// <param name="scalar">Reads the short form.</param>
    /// <param name="read">Reads the long form.</param>
    public T? ScalarOrObject<T>(string name, string expected, Func<ScalarNode, Place, T?> scalar, Func<ObjectReader, T?> read)
        where T : class
    {
        if (!Take(name, out var entry) || entry.Value.IsNull)
        {
            return null;
        }

        switch (entry.Value)
        {
            case ScalarNode text:
                return scalar(text, At(name));
            case MappingNode mapping:
                return ReadChild(mapping, entry.KeyPosition, new FieldPath(Path, name), read);
            default:
                WrongType(At(name), expected, entry.Value);
                return null;
        }
    }

    /// <summary>A mapping with keys of the author's choosing.</summary>
    public void EachEntry(string name, Action<MappingEntry, Place> take)
    {
        if (!TakeMapping(name, out var mapping))
        {
            return;
        }

        foreach (var entry in mapping.Entries)
        {
            take(entry, new Place(Context, new FieldPath(new FieldPath(Path, name), entry.Key, isKey: true), null, -1, entry.Position));
        }
    }

    /// <summary>All fields, whatever their names.</summary>
    public void EachField(Action<MappingEntry, Place> take)
    {
        for (var i = 0; i < _taken.Length; i++)
        {
            _taken[i] = true;
            take(_node.Entries[i], new Place(Context, Path, _node.Entries[i].Key, -1, _node.Entries[i].Position));
        }
    }

    /// <summary>Says that a value has another type than its place takes.</summary>
    public static void Mistyped(Place place, string expected, Node found) => WrongType(place, expected, found);
}
