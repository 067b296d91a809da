using System.Reflection;

namespace Portcullis.Reports;

/// <summary>The page of documentation that every problem code has (docs/reference/problems), which the executable carries with it.</summary>
internal static class ProblemPage
{
    /// <summary>Where the build says that its documentation is published (<c>-p:DocumentationUrl=…/</c>); none when it does not.</summary>
    private static readonly Uri? Published = typeof(ProblemPage).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .FirstOrDefault(a => a.Key == "DocumentationUrl")?.Value is { Length: > 0 } url ? new(url) : null;

    /// <summary>The page in Markdown; <see langword="null"/> when the code has none.</summary>
    public static string? Read(string code)
    {
        using var stream = typeof(ProblemPage).Assembly.GetManifestResourceStream($"problems/{code}.md");
        if (stream is null)
        {
            return null;
        }

        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>Its address on the web.</summary>
    public static Uri? UriOf(string code) => Published is null ? null : new(Published, $"reference/problems/{code}.md");
}
