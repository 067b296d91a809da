using System.Globalization;

namespace Portcullis.Gateway.Limits;

/// <summary>How many connections the limit of open files leaves room for.</summary>
internal static class FileDescriptors
{
    /// <summary>For what is neither a client's nor a backend's connection: files, listeners, the runtime.</summary>
    private const int Reserve = 256;

    private const int Least = 256;

    /// <summary>Where the kernel says no limit, or none can be read.</summary>
    private const int Unknown = 500_000;

    /// <summary>Half of what may be opened: each request may hold a connection to a client and one to a backend.</summary>
    public static int DefaultConnections { get; } = Connections(Limits());

    /// <summary>Connections for the text of <c>/proc/self/limits</c>.</summary>
    internal static int Connections(string limits)
    {
        const string Name = "Max open files";
        foreach (var line in limits.AsSpan().EnumerateLines())
        {
            if (!line.StartsWith(Name))
            {
                continue;
            }

            var soft = line[Name.Length..].TrimStart();
            var end = soft.IndexOf(' ');
            return int.TryParse(end < 0 ? soft : soft[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var files)
                ? Math.Clamp((files - Reserve) / 2, Least, Unknown)
                : Unknown;
        }

        return Unknown;
    }

    private static string Limits()
    {
        try
        {
            return File.ReadAllText("/proc/self/limits");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
