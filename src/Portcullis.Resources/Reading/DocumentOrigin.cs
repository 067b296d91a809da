namespace Portcullis.Resources.Reading;

/// <summary>Origin of a document that was read from a text: keeps the text, not the tree.</summary>
/// <param name="text">The whole text.</param>
/// <param name="slice">Where in it the document is.</param>
/// <param name="tree">Index of the document's tree among those of the slice.</param>
/// <param name="item">Index in <c>items</c> of a Kubernetes List; -1 when the document stands by itself.</param>
/// <param name="order">Position in the order of reading.</param>
internal sealed class DocumentOrigin(SourceText text, TextSlice slice, int tree, int item, int order) : ResourceOrigin
{
    public override string Source => text.Name;

    public override int Order => order;

    public override SourcePosition? Locate(string fieldPath)
    {
        var trees = text.TreesOf(slice);
        if (tree >= trees.Length)
        {
            return null;
        }

        var root = trees[tree];
        if (item >= 0 && (root as MappingNode)?.Find("items") is SequenceNode items && item < items.Items.Length)
        {
            root = items.Items[item];
        }

        return NodePath.Locate(root, fieldPath);
    }

    /// <inheritdoc/>
    public override ResourceOrigin WithOrder(int newOrder) => newOrder == order ? this : new DocumentOrigin(text, slice, tree, item, newOrder);
}
