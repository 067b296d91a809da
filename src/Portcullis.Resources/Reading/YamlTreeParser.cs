using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Portcullis.Resources.Reading;

/// <summary>YAML to trees: aliases resolved (and bounded), merge keys merged, duplicate keys and foreign tags reported.</summary>
internal sealed class YamlTreeParser(SourceText source, TextSlice slice, ReadContext context)
{
    private const string CorePrefix = "tag:yaml.org,2002:";

    private readonly Parser _parser = new(new Scanner(new SliceReader(source.Text, slice.Start, slice.Length), skipComments: true));
    private readonly Dictionary<string, Node> _anchors = new(StringComparer.Ordinal);
    private int _aliased;

    /// <summary>All trees of the slice that are sound.</summary>
    public Node[] Parse()
    {
        var trees = new List<Node>();
        try
        {
            while (_parser.MoveNext())
            {
                if (_parser.Current is DocumentStart)
                {
                    _anchors.Clear();
                    _aliased = 0;
                    var before = context.Problems.Count;
                    _parser.MoveNext();
                    var tree = Read(0);
                    if (context.Problems.Count == before)
                    {
                        trees.Add(tree);
                    }
                }
            }
        }
        catch (TreeException e)
        {
            context.Add(ProblemSeverity.Error, ProblemCodes.Syntax, e.Position, null, e.Message, e.Remedy);
        }
        catch (YamlException e)
        {
            var (message, remedy, position) = YamlSyntax.Explain(e, source.Text, slice);
            context.Add(ProblemSeverity.Error, ProblemCodes.Syntax, position, null, message, remedy);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidOperationException or OverflowException or IndexOutOfRangeException)
        {
            // The scanner lets some malformed escapes and anchors escape as BCL exceptions.
            context.Add(ProblemSeverity.Error, ProblemCodes.Syntax, new(slice.Line, 1), null, "the document is not valid YAML", "check its escapes, anchors and tags");
        }

        return [.. trees];
    }

    private SourcePosition Place(Mark mark) => new(slice.Line + (int)mark.Line - 1, (int)mark.Column);

    private Node Read(int depth)
    {
        var current = _parser.Current!;
        var position = Place(current.Start);
        if (depth > TreeParser.MaxDepth)
        {
            throw new TreeException(position, $"nested deeper than {TreeParser.MaxDepth} levels", "no resource is that deep; flatten the document");
        }

        switch (current)
        {
            case Scalar scalar:
                return Anchored(scalar, new ScalarNode(position, KindOf(scalar, position), scalar.Value));
            case SequenceStart start:
                CheckTag(start, "seq", position);
                var items = new List<Node>();
                while (Next() is not SequenceEnd)
                {
                    items.Add(Read(depth + 1));
                }

                return Anchored(start, new SequenceNode(position, [.. items]));
            case MappingStart start:
                CheckTag(start, "map", position);
                return Anchored(start, ReadMapping(position, depth));
            case AnchorAlias alias:
                return Resolve(alias, position);
            default:
                throw new TreeException(position, "expected a value", "write a mapping, a list or a scalar");
        }
    }

    private ParsingEvent Next() => _parser.MoveNext() ? _parser.Current! : throw new TreeException(new(slice.Line, 1), "the document ends too early", null);

    private MappingNode ReadMapping(SourcePosition position, int depth)
    {
        var entries = new List<MappingEntry>();
        var index = new KeyIndex();
        List<(SourcePosition Place, Node Value)>? merges = null;
        while (Next() is not MappingEnd)
        {
            var keyPosition = Place(_parser.Current!.Start);
            var key = Read(depth + 1);
            Next();
            var value = Read(depth + 1);
            if (key is not ScalarNode name)
            {
                Error(ProblemCodes.Syntax, keyPosition, "a key must be text", "write the key as a plain word");
            }
            else if (name is { Text: "<<", Kind: ScalarKind.Text })
            {
                (merges ??= []).Add((keyPosition, value));
            }
            else if (KeyText(name, keyPosition) is { } text && !Repeats(entries, index, text, keyPosition))
            {
                entries.Add(new(text, keyPosition, value));
            }
        }

        foreach (var (place, value) in merges ?? [])
        {
            Merge(entries, index, value, place);
        }

        return new MappingNode(position, [.. entries]);
    }

    private string? KeyText(ScalarNode name, SourcePosition position)
    {
        if (name.Kind is ScalarKind.Boolean or ScalarKind.Null)
        {
            var shown = name.Text.Length == 0 ? "an empty key" : $"the key `{name.Text}`";
            Error(ProblemCodes.WrongType, position, $"{shown} is read as {(name.Kind is ScalarKind.Null ? "null" : PlainScalar.IsTrue(name.Text) ? "`true`" : "`false`")}", $"quote it: \"{name.Text}\"");
            return null;
        }

        return name.Text;
    }

    private bool Repeats(List<MappingEntry> entries, KeyIndex index, string key, SourcePosition position)
    {
        if (index.Add(key))
        {
            return false;
        }

        var first = entries.Find(e => e.Key == key).KeyPosition.Line;
        Error(ProblemCodes.DuplicateKey, position, $"the key `{key}` is already given at line {first}", "keep one of the two");
        return true;
    }

    private void Merge(List<MappingEntry> entries, KeyIndex index, Node value, SourcePosition place)
    {
        switch (value)
        {
            case MappingNode mapping:
                Spend(mapping.Weight, place);
                foreach (var entry in mapping.Entries)
                {
                    if (index.Add(entry.Key))
                    {
                        entries.Add(entry);
                    }
                }

                break;
            case SequenceNode sequence when Array.TrueForAll(sequence.Items, i => i is MappingNode):
                foreach (var item in sequence.Items)
                {
                    Merge(entries, index, item, place);
                }

                break;
            default:
                Error(ProblemCodes.Syntax, place, "the merge key `<<` takes a mapping or a list of mappings", "refer to an anchored mapping: <<: *name");
                break;
        }
    }

    private Node Resolve(AnchorAlias alias, SourcePosition position)
    {
        if (!_anchors.TryGetValue(alias.Value.Value, out var target))
        {
            throw new TreeException(position, $"the anchor `&{alias.Value.Value}` is not defined before its alias", "define it earlier in the same document");
        }

        Spend(target.Weight, position);
        return target;
    }

    private void Spend(int nodes, SourcePosition position)
    {
        _aliased += Math.Min(nodes, TreeParser.MaxAliasedNodes + 1);
        if (_aliased > TreeParser.MaxAliasedNodes)
        {
            throw new TreeException(position, $"aliases expand to more than {TreeParser.MaxAliasedNodes} values", "write the values out");
        }
    }

    private Node Anchored(NodeEvent of, Node node)
    {
        if (!of.Anchor.IsEmpty)
        {
            _anchors[of.Anchor.Value] = node;
        }

        return node;
    }

    private ScalarKind KindOf(Scalar scalar, SourcePosition position)
    {
        if (scalar.Tag.IsEmpty || scalar.Tag.IsNonSpecific)
        {
            return scalar.Style is ScalarStyle.Plain && scalar.Tag.IsEmpty ? PlainScalar.Resolve(scalar.Value) : ScalarKind.Text;
        }

        var resolved = PlainScalar.Resolve(scalar.Value);
        return scalar.Tag.Value switch
        {
            CorePrefix + "str" => ScalarKind.Text,
            CorePrefix + "null" when resolved is ScalarKind.Null => ScalarKind.Null,
            CorePrefix + "bool" when resolved is ScalarKind.Boolean => resolved,
            CorePrefix + "int" when resolved is ScalarKind.Integer => resolved,
            CorePrefix + "float" when resolved is ScalarKind.Float or ScalarKind.Integer => resolved,
            _ => Foreign(scalar, position),
        };
    }

    private ScalarKind Foreign(NodeEvent node, SourcePosition position)
    {
        var tag = node.Tag.Value.Replace(CorePrefix, "!!", StringComparison.Ordinal);
        Error(ProblemCodes.WrongType, position, $"the tag `{tag}` does not fit here", "remove the tag");
        return ScalarKind.Text;
    }

    private void CheckTag(NodeEvent node, string core, SourcePosition position)
    {
        if (!node.Tag.IsEmpty && !node.Tag.IsNonSpecific && node.Tag.Value != CorePrefix + core)
        {
            Foreign(node, position);
        }
    }

    private void Error(string code, SourcePosition position, string message, string? remedy) =>
        context.Add(ProblemSeverity.Error, code, position, null, message, remedy);
}
