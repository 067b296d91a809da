using System.Text;
using System.Text.Json;

namespace Portcullis.Resources.Reading;

/// <summary>JSON to trees; several values may follow each other, as <c>kubectl</c> takes them.</summary>
internal sealed class JsonTreeParser
{
    private static readonly JsonReaderOptions Options = new()
    {
        AllowMultipleValues = true,
        MaxDepth = TreeParser.MaxDepth,
    };

    private readonly byte[] _utf8;
    private readonly int[] _lines;
    private readonly int _firstLine;
    private readonly ReadContext _context;

    private JsonTreeParser(byte[] utf8, int firstLine, ReadContext context)
    {
        (_utf8, _firstLine, _context) = (utf8, firstLine, context);
        var lines = new List<int> { 0 };
        for (var i = 0; i < utf8.Length; i++)
        {
            if (utf8[i] == '\n')
            {
                lines.Add(i + 1);
            }
        }

        _lines = [.. lines];
    }

    public static Node[] Parse(SourceText source, TextSlice slice, ReadContext context)
    {
        var text = source.Text.AsSpan(slice.Start, slice.Length).TrimStart('\uFEFF');
        var utf8 = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, utf8);
        return new JsonTreeParser(utf8, slice.Line, context).Parse();
    }

    private Node[] Parse()
    {
        var trees = new List<Node>();
        var reader = new Utf8JsonReader(_utf8, Options);
        try
        {
            while (reader.Read())
            {
                var before = _context.Problems.Count;
                var tree = Read(ref reader);
                if (_context.Problems.Count == before)
                {
                    trees.Add(tree);
                }
            }
        }
        catch (JsonException e)
        {
            // Its own counts are of bytes, from 0.
            var place = new SourcePosition(_firstLine + (int)(e.LineNumber ?? 0), (int)(e.BytePositionInLine ?? 0) + 1);
            var message = e.Message;
            var cut = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
            message = (cut < 0 ? message : message[..cut]).Replace(" which is not supported in this mode. Change the reader options", "", StringComparison.Ordinal).TrimEnd('.').Replace('\'', '`');
            _context.Add(ProblemSeverity.Error, ProblemCodes.Syntax, place, null, char.ToLowerInvariant(message[0]) + message[1..], "check the commas, quotes and brackets here");
        }
        catch (InvalidOperationException)
        {
            // A string with a lone surrogate: valid JSON, but no text.
            _context.Add(ProblemSeverity.Error, ProblemCodes.Syntax, Place(reader.TokenStartIndex), null, "the text is not valid Unicode", "remove the lone surrogate escape");
        }

        return [.. trees];
    }

    private Node Read(ref Utf8JsonReader reader)
    {
        var position = Place(reader.TokenStartIndex);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartArray:
                var items = new List<Node>();
                while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray)
                {
                    items.Add(Read(ref reader));
                }

                return new SequenceNode(position, [.. items]);
            case JsonTokenType.StartObject:
                return ReadObject(ref reader, position);
            case JsonTokenType.String:
                return new ScalarNode(position, ScalarKind.Text, reader.GetString()!);
            case JsonTokenType.Number:
                var number = Encoding.UTF8.GetString(reader.ValueSpan);
                return new ScalarNode(position, number.AsSpan().IndexOfAny('.', 'e', 'E') < 0 ? ScalarKind.Integer : ScalarKind.Float, number);
            case JsonTokenType.True:
                return new ScalarNode(position, ScalarKind.Boolean, "true");
            case JsonTokenType.False:
                return new ScalarNode(position, ScalarKind.Boolean, "false");
            default:
                return new ScalarNode(position, ScalarKind.Null, "null");
        }
    }

    private MappingNode ReadObject(ref Utf8JsonReader reader, SourcePosition position)
    {
        var entries = new List<MappingEntry>();
        var index = new KeyIndex();
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var keyPosition = Place(reader.TokenStartIndex);
            var key = reader.GetString()!;
            reader.Read();
            var value = Read(ref reader);
            if (index.Add(key))
            {
                entries.Add(new(key, keyPosition, value));
                continue;
            }

            var first = entries.Find(e => e.Key == key).KeyPosition.Line;
            _context.Add(ProblemSeverity.Error, ProblemCodes.DuplicateKey, keyPosition, null, $"the key `{key}` is already given at line {first}", "keep one of the two");
        }

        return new MappingNode(position, [.. entries]);
    }

    private SourcePosition Place(long index)
    {
        var line = Array.BinarySearch(_lines, (int)index);
        line = line < 0 ? ~line - 1 : line;
        return new(_firstLine + line, Encoding.UTF8.GetCharCount(_utf8, _lines[line], (int)index - _lines[line]) + 1);
    }
}
