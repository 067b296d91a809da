using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Reports;

/// <summary>Changed lines as a diff that <c>patch</c> takes.</summary>
internal static class UnifiedDiff
{
    private const int Context = 3;

    public static void Write(TextWriter output, string path, string text, ImmutableArray<FixedLine> changes)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        var count = lines[^1].Length == 0 ? lines.Length - 1 : lines.Length;
        output.WriteLine($"--- {path}");
        output.WriteLine($"+++ {path}");
        var removed = 0;
        for (var i = 0; i < changes.Length;)
        {
            var last = i;
            while (last + 1 < changes.Length && changes[last + 1].Number - changes[last].Number <= 2 * Context)
            {
                last++;
            }

            var start = Math.Max(1, changes[i].Number - Context);
            var end = Math.Min(count, changes[last].Number + Context);
            var gone = changes[i..(last + 1)].Count(c => c.New is null);
            output.WriteLine($"@@ -{start},{end - start + 1} +{start - removed},{end - start + 1 - gone} @@");
            removed += gone;
            for (var line = start; line <= end; line++)
            {
                if (i <= last && changes[i].Number == line)
                {
                    output.WriteLine($"-{changes[i].Old}");
                    if (changes[i].New is { } replacement)
                    {
                        output.WriteLine($"+{replacement}");
                    }

                    i++;
                }
                else
                {
                    output.WriteLine($" {lines[line - 1]}");
                }
            }
        }
    }
}
