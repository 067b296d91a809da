using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>Merges the match blocks of a delegating rule with those of its delegate (routing.md §2.15). What is merged is never wider than the root's.</summary>
internal static class MatchMerge
{
    /// <summary>One block for every pair that does not conflict.</summary>
    public static ImmutableArray<HttpMatchRequest> All(ImmutableArray<HttpMatchRequest> roots, ImmutableArray<HttpMatchRequest> leaves) =>
        [.. from leaf in leaves from root in roots where !Conflict(root, leaf) select Merge(root, leaf)];

    private static HttpMatchRequest Merge(HttpMatchRequest root, HttpMatchRequest leaf) => leaf with
    {
        Name = string.IsNullOrEmpty(leaf.Name) ? root.Name : string.IsNullOrEmpty(root.Name) ? leaf.Name : $"{root.Name}-{leaf.Name}",
        Uri = leaf.Uri ?? root.Uri,
        Scheme = leaf.Scheme ?? root.Scheme,
        Method = leaf.Method ?? root.Method,
        Authority = leaf.Authority ?? root.Authority,
        Headers = root.Headers.SetItems(leaf.Headers),
        WithoutHeaders = root.WithoutHeaders.SetItems(leaf.WithoutHeaders),
        QueryParams = root.QueryParams.SetItems(leaf.QueryParams),
        Port = leaf.Port is null or 0 ? root.Port : leaf.Port,
        Gateways = leaf.Gateways.IsEmpty ? root.Gateways : leaf.Gateways,
        SourceLabels = root.SourceLabels.SetItems(leaf.SourceLabels),
        SourceNamespace = string.IsNullOrEmpty(leaf.SourceNamespace) ? root.SourceNamespace : leaf.SourceNamespace,
        StatPrefix = leaf.StatPrefix ?? root.StatPrefix,
    };

    private static bool Conflict(HttpMatchRequest root, HttpMatchRequest leaf) =>
        Conflict(root.Uri, leaf.Uri) || Conflict(root.Scheme, leaf.Scheme) || Conflict(root.Method, leaf.Method)
        || Conflict(root.Authority, leaf.Authority)
        || Conflict(root.Headers, leaf.Headers) || Conflict(root.WithoutHeaders, leaf.WithoutHeaders) || Conflict(root.QueryParams, leaf.QueryParams)
        || (root.IgnoreUriCase != leaf.IgnoreUriCase && (root.Uri ?? leaf.Uri) is not null)
        || (root.Port is > 0 && leaf.Port is > 0 && root.Port != leaf.Port)
        || (!string.IsNullOrEmpty(root.SourceNamespace) && !string.IsNullOrEmpty(leaf.SourceNamespace) && root.SourceNamespace != leaf.SourceNamespace)
        || leaf.SourceLabels.Any(l => root.SourceLabels.TryGetValue(l.Key, out var value) && value != l.Value)
        || (!root.Gateways.IsEmpty && leaf.Gateways.Any(g => !root.Gateways.Contains(g)));

    private static bool Conflict(ImmutableDictionary<string, StringMatch> roots, ImmutableDictionary<string, StringMatch> leaves) =>
        leaves.Any(leaf => roots.TryGetValue(leaf.Key, out var root) && Conflict(root, leaf.Value));

    /// <summary>Whether the leaf's condition, which goes before the root's, would let through what the root does not.</summary>
    private static bool Conflict(StringMatch? root, StringMatch? leaf) => (root?.Kind, leaf?.Kind) switch
    {
        (null, _) or (_, null) or (StringMatchKind.Present, StringMatchKind.Present) => false,
        (StringMatchKind.Present, not StringMatchKind.Regex) => false,
        (StringMatchKind.Exact, StringMatchKind.Exact) => root.Value != leaf.Value,
        (StringMatchKind.Prefix, StringMatchKind.Exact or StringMatchKind.Prefix) => !leaf.Value.StartsWith(root.Value, StringComparison.Ordinal),
        _ => true,
    };
}
