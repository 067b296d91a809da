using System.Globalization;
using Portcullis.Gateway.Jwks;

namespace Portcullis.Gateway.Limits;

/// <summary>The names under which <see cref="GatewayLimits"/> are set.</summary>
public static class LimitSettings
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private static readonly Setting[] All =
    [
        Number("request-headers-bytes", 1024, 1024 * 1024, static (l, v) => l with { RequestHeadersBytes = (int)v }),
        Number("request-headers", 1, 1000, static (l, v) => l with { RequestHeaders = (int)v }),
        Number("request-body-bytes", 0, long.MaxValue, static (l, v) => l with { RequestBodyBytes = v }),
        Duration("request-headers-timeout", Second, Day, static (l, v) => l with { RequestHeadersTimeout = v }),
        Duration("idle-timeout", Second, Day, static (l, v) => l with { IdleTimeout = v }),
        Number("request-body-min-rate", 0, int.MaxValue, static (l, v) => l with { RequestBodyMinRate = (int)v }),
        Number("response-min-rate", 0, int.MaxValue, static (l, v) => l with { ResponseMinRate = (int)v }),
        Duration("stall-timeout", 2 * Second, Day, static (l, v) => l with { StallTimeout = v }), // the server looks once a second
        Number("requests-per-connection", 0, int.MaxValue, static (l, v) => l with { RequestsPerConnection = (int)v }),
        Number("streams-per-connection", 1, int.MaxValue, static (l, v) => l with { StreamsPerConnection = (int)v }),
        Number("connections", 1, int.MaxValue, static (l, v) => l with { Connections = (int)v }),
        Number("connections-per-listener", 0, int.MaxValue, static (l, v) => l with { ConnectionsPerListener = (int)v }),
        Number("active-requests", 0, int.MaxValue, static (l, v) => l with { ActiveRequests = (int)v }),
        Duration("queue-delay", TimeSpan.Zero, Day, static (l, v) => l with { QueueDelay = v }),
        Number("memory-percent", 0, 100, static (l, v) => l with { MemoryPercent = (int)v }),
    ];

    /// <summary>Every name, as docs/reference/limits.md lists them.</summary>
    public static IEnumerable<string> Names => All.Select(s => s.Name);

    /// <summary>Reads settings of the form <c>name=value</c> over the defaults; the last of a name counts.</summary>
    /// <param name="texts">The settings.</param>
    /// <param name="limits">The limits.</param>
    /// <param name="error">What is wrong with the first that cannot be read.</param>
    public static bool TryParse(IEnumerable<string> texts, out GatewayLimits limits, out string error)
    {
        limits = new GatewayLimits();
        error = "";
        foreach (var text in texts)
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            var setting = equals < 0 ? null : Array.Find(All, s => text.AsSpan(0, equals).SequenceEqual(s.Name));
            if (setting is null)
            {
                error = $"`{text}` sets no limit; write NAME=VALUE with one of {string.Join(", ", Names)}";
                return false;
            }

            if (setting.Apply(limits, text[(equals + 1)..]) is not { } changed)
            {
                error = $"`{text[(equals + 1)..]}` is not {setting.Expected} for {setting.Name}";
                return false;
            }

            limits = changed;
        }

        return true;
    }

    private static Setting Number(string name, long min, long max, Func<GatewayLimits, long, GatewayLimits> set) => new(
        name,
        max is long.MaxValue or int.MaxValue ? $"a number from {min}" : $"a number from {min} to {max}",
        (limits, text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max ? set(limits, value) : null);

    private static Setting Duration(string name, TimeSpan min, TimeSpan max, Func<GatewayLimits, TimeSpan, GatewayLimits> set) => new(
        name,
        $"a duration such as 90s or 5m, from {min.TotalSeconds:0} s to {max.TotalHours:0} h,",
        (limits, text) => GoDuration.TryParse(text, out var value) && value >= min && value <= max ? set(limits, value) : null);

    private sealed record Setting(string Name, string Expected, Func<GatewayLimits, string, GatewayLimits?> Apply);
}
