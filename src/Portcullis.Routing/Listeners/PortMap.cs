using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Portcullis.Routing;

/// <summary>
/// Which port is really bound for the port that a Gateway's server declares (<c>--port 80=8080</c>; routing.md §1.2). Everything that a
/// rule says about ports (<c>match.port</c>, redirects, the default destination port) means the declared one.
/// </summary>
public sealed class PortMap
{
    private readonly FrozenDictionary<int, int> _explicit;

    private PortMap(Dictionary<int, int> entries) => _explicit = entries.ToFrozenDictionary();

    /// <summary>80→8080, 443→8443, every other port as it is.</summary>
    public static PortMap Default { get; } = new([]);

    /// <summary>Reads <c>declared=bound</c> entries. Entries given go before everything; other ports keep the default.</summary>
    /// <param name="entries">For example <c>80=8080</c>; a declared port may stand once. A bound port of 0 lets the system choose.</param>
    /// <param name="map">The map, when every entry is well-formed.</param>
    /// <param name="error">What is wrong with the first bad entry, and the form it should have.</param>
    public static bool TryParse(IEnumerable<string> entries, [NotNullWhen(true)] out PortMap? map, [NotNullWhen(false)] out string? error)
    {
        var ports = new Dictionary<int, int>();
        map = null;
        foreach (var entry in entries)
        {
            var separator = entry.IndexOf('=', StringComparison.Ordinal);
            if (separator < 0)
            {
                error = $"`{entry}` is not a port mapping; write it as DECLARED=BOUND, for example 80=8080";
                return false;
            }

            if (!TryPort(entry.AsSpan(0, separator), 1, out var declared))
            {
                error = $"`{entry[..separator]}` in `{entry}` is not a port; use a number from 1 to 65535";
                return false;
            }

            if (!TryPort(entry.AsSpan(separator + 1), 0, out var bound))
            {
                error = $"`{entry[(separator + 1)..]}` in `{entry}` is not a port; use a number from 0 to 65535 (0: any free port)";
                return false;
            }

            if (!ports.TryAdd(declared, bound))
            {
                error = $"port {declared} is mapped twice; give each declared port once";
                return false;
            }
        }

        map = new(ports);
        error = null;
        return true;
    }

    /// <summary>The port to bind for a declared one, when no Service says otherwise.</summary>
    public int Bound(int declared) => TryGetExplicit(declared, out var bound) ? bound : declared switch
    {
        80 => 8080,
        443 => 8443,
        _ => declared,
    };

    internal bool TryGetExplicit(int declared, out int bound) => _explicit.TryGetValue(declared, out bound);

    private static bool TryPort(ReadOnlySpan<char> text, int least, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port >= least && port <= 65535;
}
