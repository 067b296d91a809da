namespace Portcullis.Resources;

/// <summary>Where a resource came from, and how to find the place of one of its fields.</summary>
public abstract class ResourceOrigin
{
    /// <summary>File path as the operator gave it, or another source's name for the document.</summary>
    public abstract string Source { get; }

    /// <summary>Position in the order of reading (file by file, document by document): breaks ties of creation time.</summary>
    public abstract int Order { get; }

    /// <summary>Line and column (from 1) of a field such as <c>spec.rules[0].to[1].operation.paths[2]</c>.</summary>
    /// <returns>The place of the field, of its nearest existing parent, or <see langword="null"/> where positions mean nothing.</returns>
    public abstract SourcePosition? Locate(string fieldPath);

    /// <summary>The same place at another position in the order of reading; itself where the order is fixed.</summary>
    public virtual ResourceOrigin WithOrder(int newOrder) => this;
}

/// <summary>A place in a text, counted from 1.</summary>
public readonly record struct SourcePosition(int Line, int Column);
