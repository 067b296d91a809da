using System.Text;
using Portcullis.Reports;
using Portcullis.Resources;

namespace Portcullis.Commands;

/// <summary>Makes the fixes that problems carry in the files themselves, or shows them.</summary>
internal static class CheckFixes
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Writes every file that a fix changes, each at once or not at all.</summary>
    /// <param name="problems">What was found.</param>
    /// <param name="isDryRun">Only shows a diff on <paramref name="output"/>.</param>
    /// <param name="output">Takes the diff.</param>
    /// <param name="error">Takes a line for each fix, and what went wrong.</param>
    /// <returns><see langword="false"/> when a file could not be written.</returns>
    public static bool Apply(IEnumerable<Problem> problems, bool isDryRun, TextWriter output, TextWriter error)
    {
        var good = true;
        foreach (var group in problems.Where(p => p is { Fix: not null, Source: not null }).GroupBy(p => p.Source!, StringComparer.Ordinal))
        {
            try
            {
                var text = Utf8.GetString(File.ReadAllBytes(group.Key));
                var result = TextFixer.Apply(text, group);
                if (result.Lines.IsEmpty || !IsSound(group.Key, text, result.Text))
                {
                    continue;
                }

                if (isDryRun)
                {
                    UnifiedDiff.Write(output, group.Key, text, result.Lines);
                    continue;
                }

                Write(group.Key, result.Text);
                foreach (var problem in result.Fixed)
                {
                    error.WriteLine($"fixed {problem.Source}:{problem.Position!.Value.Line}: {problem.Code}: {problem.Message}");
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or DecoderFallbackException)
            {
                error.WriteLine($"{group.Key} is not fixed: {e.Message}");
                good = false;
            }
        }

        return good;
    }

    /// <summary>The changed text reads at least as well as the old one; otherwise a fix did what it must not.</summary>
    private static bool IsSound(string path, string before, string after)
    {
        var (old, now) = (ResourceReader.Read(path, before), ResourceReader.Read(path, after));
        return now.Resources.Length >= old.Resources.Length && Errors(now) <= Errors(old);

        static int Errors(ReadResult result) => result.Problems.Count(p => p.Severity == ProblemSeverity.Error);
    }

    /// <summary>A reader sees the old file or the new one: the text goes beside the file and takes its place, links and permissions kept.</summary>
    private static void Write(string path, string text)
    {
        var target = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);
        var beside = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}");
        try
        {
            File.WriteAllBytes(beside, Utf8.GetBytes(text));
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(beside, File.GetUnixFileMode(target));
            }

            File.Move(beside, target, overwrite: true);
        }
        finally
        {
            File.Delete(beside);
        }
    }
}
