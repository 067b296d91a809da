using System.Collections.Immutable;

namespace Portcullis.Routing;

/// <summary>How far a resource is visible (<c>exportTo</c>).</summary>
internal enum ExportScope
{
    /// <summary>Not to the namespace asked about.</summary>
    None,

    /// <summary>By <c>.</c> only, and it is in that namespace.</summary>
    Private,

    /// <summary>The namespace is named.</summary>
    Named,

    /// <summary>Every namespace.</summary>
    Public,
}

/// <summary>Reads <c>exportTo</c> lists (routing.md §2.1).</summary>
internal static class Visibility
{
    /// <summary>Annotation that says the same on a Kubernetes Service.</summary>
    public const string Annotation = "networking.istio.io/exportTo";

    /// <param name="viewer">Namespace that looks.</param>
    /// <param name="exportTo">As written.</param>
    /// <param name="byDefault">The mesh's, for what has none.</param>
    /// <param name="own">Namespace of the resource.</param>
    public static ExportScope To(string viewer, ImmutableArray<string> exportTo, ImmutableArray<string> byDefault, string own)
    {
        exportTo = exportTo.IsEmpty ? byDefault : exportTo;
        if (exportTo.IsEmpty || exportTo.Contains("*"))
        {
            return ExportScope.Public;
        }

        if (exportTo is ["."])
        {
            return viewer == own ? ExportScope.Private : ExportScope.None;
        }

        foreach (var entry in exportTo)
        {
            if (entry == viewer || (entry == "." && viewer == own))
            {
                return ExportScope.Named;
            }
        }

        return ExportScope.None;
    }

    public static bool Includes(string viewer, ImmutableArray<string> exportTo, ImmutableArray<string> byDefault, string own) =>
        To(viewer, exportTo, byDefault, own) != ExportScope.None;
}
