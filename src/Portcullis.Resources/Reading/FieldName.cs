namespace Portcullis.Resources.Reading;

/// <summary>Names of fields: proto JSON takes lowerCamel and the proto's own snake_case.</summary>
internal static class FieldName
{
    /// <summary>Whether <paramref name="key"/> is the snake_case spelling of a lowerCamel name, by protobuf's rule for JSON names.</summary>
    public static bool IsSnakeCaseOf(ReadOnlySpan<char> key, ReadOnlySpan<char> camel)
    {
        var at = 0;
        var upper = false;
        foreach (var c in key)
        {
            if (c == '_')
            {
                upper = true;
                continue;
            }

            if (at == camel.Length || camel[at++] != (upper ? char.ToUpperInvariant(c) : c))
            {
                return false;
            }

            upper = false;
        }

        return at == camel.Length;
    }

    /// <summary>The known name nearest to a misspelt one; <see langword="null"/> when none is near.</summary>
    public static string? Nearest(string name, IEnumerable<string> known)
    {
        string? best = null;
        var bestDistance = int.MaxValue;
        foreach (var candidate in known)
        {
            var distance = Distance(name, candidate);
            if (distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }

        return best is not null && bestDistance <= Math.Max(1, Math.Min(name.Length, best.Length) / 3) ? best : null;
    }

    /// <summary>Edits (insert, delete, replace, swap of neighbours) between two names, case ignored.</summary>
    public static int Distance(string a, string b)
    {
        if (a.Length > 128 || b.Length > 128)
        {
            return int.MaxValue;
        }

        Span<int> before = stackalloc int[b.Length + 1];
        Span<int> last = stackalloc int[b.Length + 1];
        Span<int> row = stackalloc int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
        {
            last[j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = Same(a[i - 1], b[j - 1]) ? 0 : 1;
                row[j] = Math.Min(Math.Min(row[j - 1], last[j]) + 1, last[j - 1] + cost);
                if (i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1]))
                {
                    row[j] = Math.Min(row[j], before[j - 2] + 1);
                }
            }

            last.CopyTo(before);
            row.CopyTo(last);
        }

        return last[b.Length];
    }

    private static bool Same(char x, char y) => char.ToLowerInvariant(x) == char.ToLowerInvariant(y);
}
