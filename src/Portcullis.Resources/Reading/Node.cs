namespace Portcullis.Resources.Reading;

/// <summary>The JSON type that a YAML scalar has after <c>sigs.k8s.io/yaml</c>, which is what kubectl reads with.</summary>
internal enum ScalarKind : byte
{
    Null,
    Boolean,
    Integer,
    Float,
    Text,
}

/// <summary>A value of a document with its place.</summary>
internal abstract class Node(SourcePosition position)
{
    public SourcePosition Position { get; } = position;

    /// <summary>Nodes below and including this one, aliases counted every time: what an alias to it costs to walk.</summary>
    public abstract int Weight { get; }

    public bool IsNull => this is ScalarNode { Kind: ScalarKind.Null };
}

/// <summary>Text, number, boolean or null.</summary>
internal sealed class ScalarNode(SourcePosition position, ScalarKind kind, string text) : Node(position)
{
    public ScalarKind Kind { get; } = kind;

    /// <summary>As written, quotes and escapes resolved.</summary>
    public string Text { get; } = text;

    public override int Weight => 1;
}

/// <summary>A list.</summary>
internal sealed class SequenceNode(SourcePosition position, Node[] items) : Node(position)
{
    public Node[] Items { get; } = items;

    public override int Weight { get; } = Sum(items);

    private static int Sum(Node[] items)
    {
        long sum = 1;
        foreach (var item in items)
        {
            sum += item.Weight;
        }

        return (int)Math.Min(sum, int.MaxValue);
    }
}

/// <summary>A key with its value.</summary>
internal readonly record struct MappingEntry(string Key, SourcePosition KeyPosition, Node Value)
{
    /// <summary>Where a report about the value points: at a scalar itself, at the key of everything else.</summary>
    public SourcePosition Position => Value is ScalarNode { Kind: not ScalarKind.Null } ? Value.Position : KeyPosition;
}

/// <summary>A mapping in the order of its keys, none twice.</summary>
internal sealed class MappingNode(SourcePosition position, MappingEntry[] entries) : Node(position)
{
    public MappingEntry[] Entries { get; } = entries;

    public override int Weight { get; } = Sum(entries);

    /// <summary>The value of a key; <see langword="null"/> when the key is absent.</summary>
    public Node? Find(string key)
    {
        foreach (ref readonly var entry in Entries.AsSpan())
        {
            if (entry.Key == key)
            {
                return entry.Value;
            }
        }

        return null;
    }

    private static int Sum(MappingEntry[] entries)
    {
        long sum = 1;
        foreach (ref readonly var entry in entries.AsSpan())
        {
            sum += entry.Value.Weight;
        }

        return (int)Math.Min(sum, int.MaxValue);
    }
}
