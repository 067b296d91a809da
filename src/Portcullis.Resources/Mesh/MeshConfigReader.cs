using System.Collections.Immutable;
using Portcullis.Resources.Reading;

namespace Portcullis.Resources;

/// <summary>A mesh configuration with what was found in it.</summary>
/// <param name="Config">The configuration; <see langword="null"/> when there is an error.</param>
/// <param name="Problems">In the order of the text.</param>
public sealed record MeshConfigResult(MeshConfig? Config, ImmutableArray<Problem> Problems);

/// <summary>Reads Istio's MeshConfig: a bare YAML document, or the ConfigMap <c>istio</c> with the document as text in <c>data.mesh</c>.</summary>
public static class MeshConfigReader
{
    /// <summary>Reads a text. Never throws; an empty text is Istio's defaults.</summary>
    /// <param name="source">Name for reports, usually the path.</param>
    /// <param name="text">YAML or, with a source that ends in <c>.json</c>, JSON.</param>
    public static MeshConfigResult Read(string source, string text)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(text);
        var context = new ReadContext(source);
        if (text.Length > TreeParser.MaxTextLength)
        {
            context.Add(ProblemSeverity.Error, ProblemCodes.Unreadable, null, null, $"the text is longer than {TreeParser.MaxTextLength} characters", null);
        }

        var config = context.Errors > 0 ? null : Read(context, new SourceText(source, text));
        context.SortFrom(0);
        return new(context.Errors == 0 ? config : null, [.. context.Problems]);
    }

    private static MeshConfig? Read(ReadContext context, SourceText text)
    {
        Node? document = null;
        foreach (var slice in text.Split())
        {
            foreach (var tree in TreeParser.Parse(text, slice, context))
            {
                if (tree.IsNull)
                {
                    continue;
                }

                if (document is not null)
                {
                    context.Add(ProblemSeverity.Error, ProblemCodes.InvalidValue, tree.Position, null, "a mesh configuration is one document", "remove the documents after the first");
                    return null;
                }

                document = tree;
            }
        }

        return document switch
        {
            null => MeshConfig.Default,
            MappingNode mapping when mapping.Find("kind") is not null => ReadConfigMap(context, mapping, text),
            MappingNode mapping => ReadMesh(context, mapping),
            _ => Refuse(context, document.Position, "the document is not a mapping", "write the keys of Istio's MeshConfig"),
        };
    }

    private static MeshConfig? ReadConfigMap(ReadContext context, MappingNode mapping, SourceText text)
    {
        if (mapping.Find("kind") is not ScalarNode { Text: "ConfigMap" } || (mapping.Find("data") as MappingNode)?.Find("mesh") is not ScalarNode { Kind: ScalarKind.Text } mesh)
        {
            return Refuse(context, mapping.Position, "a Kubernetes document that is not a ConfigMap with `data.mesh`", "give a bare MeshConfig, or the ConfigMap `istio`");
        }

        // The inner text begins on the line after its `|`, indented.
        var inner = new ReadContext(text.Name);
        var innerConfig = Read(inner, new SourceText("mesh", mesh.Text));
        var indent = IndentAfter(text.Text, mesh.Position.Line);
        foreach (var problem in inner.Problems)
        {
            var place = problem.Position is { } p && indent is { } columns ? new SourcePosition(mesh.Position.Line + p.Line, p.Column + columns) : mesh.Position;
            context.Add(problem.Severity, problem.Code, place, problem.FieldPath is null ? "data.mesh" : $"data.mesh: {problem.FieldPath}", problem.Message, problem.Remedy);
        }

        return innerConfig;
    }

    private static int? IndentAfter(string text, int line)
    {
        var rest = text.AsSpan();
        for (var i = 0; i < line; i++)
        {
            var end = rest.IndexOf('\n');
            if (end < 0)
            {
                return null;
            }

            rest = rest[(end + 1)..];
        }

        return rest.Length - rest.TrimStart(' ').Length;
    }

    private static MeshConfig ReadMesh(ReadContext context, MappingNode mapping)
    {
        context.AcceptsSnakeCase = true;
        var reader = new ObjectReader(context, mapping, mapping.Position, new FieldPath(null, null));
        var config = MeshFieldsReader.Read(reader);
        reader.Finish();
        return config;
    }

    private static MeshConfig? Refuse(ReadContext context, SourcePosition position, string message, string remedy)
    {
        context.Add(ProblemSeverity.Error, ProblemCodes.WrongType, position, null, message, remedy);
        return null;
    }
}
