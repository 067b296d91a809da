using System.Collections.Immutable;
using Portcullis.Resources.Reading;

namespace Portcullis.Resources;

/// <summary>What one text holds: the resources that are sound, and everything that was found about the others.</summary>
/// <param name="Resources">In the order of the text.</param>
/// <param name="Problems">In the order of the text.</param>
public sealed record ReadResult(ImmutableArray<Resource> Resources, ImmutableArray<Problem> Problems);

/// <summary>
/// Reads YAML (or JSON) with any number of Kubernetes-style documents. A document with an error is reported, with all its errors at
/// once, and left out; the others stay. Reading never throws, whatever the text. Files and the Kubernetes API are read by the same code.
/// </summary>
public static class ResourceReader
{
    /// <summary>Reads a text.</summary>
    /// <param name="source">Name for reports, usually the path; one that ends in <c>.json</c> is read as JSON.</param>
    /// <param name="text">At most 64 Mi characters.</param>
    /// <param name="firstOrder"><see cref="ResourceOrigin.Order"/> of the first resource.</param>
    public static ReadResult Read(string source, string text, int firstOrder = 0)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(text);
        var context = new ReadContext(source);
        if (text.Length > TreeParser.MaxTextLength)
        {
            context.Add(ProblemSeverity.Error, ProblemCodes.Unreadable, null, null, $"the text is longer than {TreeParser.MaxTextLength} characters", "split it into several files");
            return new([], [.. context.Problems]);
        }

        var resources = ImmutableArray.CreateBuilder<Resource>();
        var sourceText = new SourceText(source, text);
        foreach (var slice in sourceText.Split())
        {
            context.BeginDocument();
            var trees = TreeParser.Parse(sourceText, slice, context);
            for (var i = 0; i < trees.Length; i++)
            {
                ReadTree(trees[i], i);
            }

            void ReadTree(Node tree, int index)
            {
                if (DocumentReader.ItemsOf(tree) is not { } items)
                {
                    Add(tree, index, -1);
                    return;
                }

                for (var item = 0; item < items.Length; item++)
                {
                    Add(items[item], index, item);
                }
            }

            void Add(Node tree, int index, int item)
            {
                var first = context.Problems.Count;
                context.BeginDocument();
                if (DocumentReader.Read(context, tree, new DocumentOrigin(sourceText, slice, index, item, firstOrder + resources.Count)) is { } resource)
                {
                    resources.Add(resource);
                }

                context.SortFrom(first);
            }
        }

        return new(resources.DrainToImmutable(), [.. context.Problems]);
    }
}
