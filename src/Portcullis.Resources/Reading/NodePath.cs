using System.Globalization;

namespace Portcullis.Resources.Reading;

/// <summary>Walks a field path such as <c>spec.http[0].match[1].headers[x-user].exact</c> down a tree.</summary>
internal static class NodePath
{
    /// <summary>The place of the field, or of its nearest parent that exists.</summary>
    public static SourcePosition Locate(Node root, ReadOnlySpan<char> path)
    {
        var node = root;
        var found = root.Position;
        while (!path.IsEmpty)
        {
            path = path[0] == '.' ? path[1..] : path;
            if (node is SequenceNode sequence)
            {
                if (Bracket(path) is not { } length
                    || !int.TryParse(path[1..(length - 1)], NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                    || index >= sequence.Items.Length)
                {
                    return found;
                }

                node = sequence.Items[index];
                found = node.Position;
                path = path[length..];
            }
            else if (node is not MappingNode mapping || !Step(mapping, ref path, out var entry))
            {
                return found;
            }
            else
            {
                found = entry.Position;
                node = entry.Value;
            }
        }

        return found;
    }

    /// <summary>Takes the longest key that the path begins with: keys may hold dots and brackets themselves.</summary>
    private static bool Step(MappingNode mapping, ref ReadOnlySpan<char> path, out MappingEntry entry)
    {
        entry = default;
        var taken = 0;
        foreach (var candidate in mapping.Entries)
        {
            var length = LengthOf(path, candidate.Key);
            if (length > taken)
            {
                (taken, entry) = (length, candidate);
            }
        }

        path = path[taken..];
        return taken > 0;
    }

    private static int LengthOf(ReadOnlySpan<char> path, string key)
    {
        if (path.StartsWith(key) && (path.Length == key.Length || path[key.Length] is '.' or '['))
        {
            return key.Length;
        }

        if (path is ['[', .. var inner] && inner.StartsWith(key) && inner[key.Length..] is [']', ..])
        {
            return key.Length + 2;
        }

        var end = path.IndexOfAny('.', '[');
        var name = end < 0 ? path : path[..end];
        return key.Contains('_', StringComparison.Ordinal) && FieldName.IsSnakeCaseOf(key, name) ? name.Length : 0;
    }

    private static int? Bracket(ReadOnlySpan<char> path)
    {
        var end = path is ['[', ..] ? path.IndexOf(']') : -1;
        return end < 0 ? null : end + 1;
    }
}
