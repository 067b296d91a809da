namespace Portcullis.Gateway.Configuration;

/// <summary>
/// Lists the files below a path in ordinal order. Names that begin with a dot are skipped, which is also how a mounted ConfigMap is read
/// once: its visible names are links into the hidden <c>..data</c>.
/// </summary>
internal static class ConfigurationFiles
{
    private const int MaxDepth = 32;

    private static readonly string[] Extensions = [".yaml", ".yml", ".json"];

    /// <summary>Appends the files of a path.</summary>
    /// <param name="path">A file, which may have any extension, or a folder.</param>
    /// <param name="files">Takes the paths, built on the path as given.</param>
    /// <exception cref="IOException">The path or a folder below it cannot be listed.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static void List(string path, List<string> files)
    {
        if (Directory.Exists(path))
        {
            var start = files.Count;
            ListFolder(path, files, new HashSet<string>(StringComparer.Ordinal), 0);
            files.Sort(start, files.Count - start, StringComparer.Ordinal);
        }
        else if (File.Exists(path))
        {
            files.Add(path);
        }
        else
        {
            throw new FileNotFoundException("there is no such file or folder", path);
        }
    }

    private static void ListFolder(string folder, List<string> files, HashSet<string> linked, int depth)
    {
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            if (entry.Name.StartsWith('.'))
            {
                continue;
            }

            // Built on the folder as given: FullName would be absolute.
            var path = Path.Combine(folder, entry.Name);
            if (!Directory.Exists(path))
            {
                if (Extensions.Contains(entry.Extension, StringComparer.OrdinalIgnoreCase))
                {
                    files.Add(path);
                }
            }
            else if (depth < MaxDepth && (entry.LinkTarget is null || linked.Add(entry.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path)))
            {
                ListFolder(path, files, linked, depth + 1);
            }
        }
    }
}
