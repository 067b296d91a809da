using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Portcullis.Gateway.Telemetry.Metrics;

/// <summary>What every Prometheus client library says of its process, under the same names.</summary>
internal static class ProcessStatistics
{
    private const string OpenFiles = "/proc/self/fd";

    public static void Write(PrometheusText text)
    {
        using var process = Process.GetCurrentProcess();
        text.Single("process_cpu_seconds_total", "counter", "CPU time of the process, user and system.", process.TotalProcessorTime.TotalSeconds);
        text.Single("process_resident_memory_bytes", "gauge", "Resident memory of the process.", process.WorkingSet64);
        text.Single("process_virtual_memory_bytes", "gauge", "Virtual memory of the process.", process.VirtualMemorySize64);
        var start = new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds() / 1000.0;
        text.Single("process_start_time_seconds", "gauge", "Start of the process, in seconds since 1970.", start);
        if (Directory.Exists(OpenFiles))
        {
            text.Single("process_open_fds", "gauge", "Open file descriptors.", Directory.EnumerateFileSystemEntries(OpenFiles).Count());
            if (MaxFiles() is { } max)
            {
                text.Single("process_max_fds", "gauge", "Most file descriptors that may be open.", max);
            }
        }

        text.Describe("portcullis_build_info", "gauge", "Version of the gateway and of its runtime; always 1.");
        var labels = new LabelText();
        labels.Add("version", typeof(ProcessStatistics).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown");
        labels.Add("runtime", RuntimeInformation.FrameworkDescription);
        text.Value("portcullis_build_info", labels.ToString(), 1);
    }

    private static double? MaxFiles()
    {
        const string Name = "Max open files";
        foreach (var line in File.ReadLines("/proc/self/limits"))
        {
            if (line.StartsWith(Name, StringComparison.Ordinal))
            {
                var soft = line.AsSpan(Name.Length).TrimStart();
                return double.TryParse(soft[..soft.IndexOf(' ')], NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
            }
        }

        return null;
    }
}
