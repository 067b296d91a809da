using System.Collections.Immutable;

namespace Portcullis.Routing;

/// <summary>Label selection by equality.</summary>
internal static class Labels
{
    /// <summary>Whether every wanted label is there with its value; wanting nothing is always fulfilled.</summary>
    public static bool Contain(ImmutableDictionary<string, string> labels, ImmutableDictionary<string, string> wanted)
    {
        foreach (var (key, value) in wanted)
        {
            if (!labels.TryGetValue(key, out var actual) || actual != value)
            {
                return false;
            }
        }

        return true;
    }
}
