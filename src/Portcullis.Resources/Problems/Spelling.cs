using Portcullis.Resources.Reading;

namespace Portcullis.Resources;

/// <summary>Guesses what an author meant.</summary>
public static class Spelling
{
    /// <summary>The known name nearest to a misspelt one; <see langword="null"/> when none is near.</summary>
    public static string? Nearest(string name, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(known);
        return FieldName.Nearest(name, known);
    }
}
