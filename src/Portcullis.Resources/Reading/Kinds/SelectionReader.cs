using System.Collections.Immutable;

namespace Portcullis.Resources.Reading;

/// <summary>Reads <c>selector</c>, <c>targetRef</c> and <c>targetRefs</c> of a policy (authentication.md §3).</summary>
internal static class SelectionReader
{
    private const int MaxTargets = 16;

    private static readonly (string Group, string Kind)[] Targets =
    [
        ("", "Service"), ("networking.istio.io", "ServiceEntry"), ("gateway.networking.k8s.io", "Gateway"), ("gateway.networking.k8s.io", "GatewayClass"),
    ];

    public static WorkloadSelection Read(ObjectReader spec)
    {
        var given = (spec.Has("selector") ? 1 : 0) + (spec.Has("targetRef") ? 1 : 0) + (spec.Has("targetRefs") ? 1 : 0);
        if (given > 1)
        {
            spec.At(spec.Has("targetRefs") ? "targetRefs" : "targetRef").Error("only one of targetRefs or selector can be set", "keep the one that says what the policy is for");
        }

        var labels = spec.Object("selector", static r => new Selector(MatchLabels(r)));
        var single = spec.Object("targetRef", static r => ReadTarget(r, 0));
        var many = spec.List("targetRefs", ReadTarget);
        if (many.Length > MaxTargets)
        {
            spec.At("targetRefs").Error($"must have at most {MaxTargets} items", "split the policy");
        }

        return new WorkloadSelection
        {
            MatchLabels = labels?.MatchLabels,
            TargetRefs = many.IsEmpty && single is not null ? [single] : many,
        };
    }

    /// <summary>The labels of a <c>workloadSelector</c> or <c>selector</c>.</summary>
    public static ImmutableDictionary<string, string> MatchLabels(ObjectReader selector, string field = "matchLabels")
    {
        var labels = selector.TextMap(field, static (key, value, place) =>
        {
            if (key.Length == 0)
            {
                place.Error("key must not be empty", "name the label");
            }
            else if (key.Contains('*', StringComparison.Ordinal))
            {
                place.Error("wildcard not allowed in label key match", $"wildcard is not supported in selector: \"{key}={value}\"");
            }
            else if (value.Contains('*', StringComparison.Ordinal))
            {
                place.Error("wildcard not allowed in label value match", $"wildcard is not supported in selector: \"{key}={value}\"; name the label's value");
            }
            else if (value.Length > 63)
            {
                place.Error("may not be longer than 63", "no label value is longer");
            }
        });
        if (labels.IsEmpty)
        {
            selector.Self.Warning("workload selector specified without labels", "it selects every workload; remove it to say so, or name labels");
        }

        return labels;
    }

    private static TargetReference ReadTarget(ObjectReader reader, int _)
    {
        var target = new TargetReference
        {
            Group = reader.Text("group") ?? "",
            Kind = reader.RequiredText("kind"),
            Name = reader.RequiredText("name", "targetRef name must be set"),
            Namespace = reader.Text("namespace"),
        };
        if (!string.IsNullOrEmpty(target.Namespace))
        {
            reader.At("namespace").Error("cross namespace referencing is not currently supported", "remove it; the policy must be in its target's namespace");
        }

        var group = target.Group == "core" ? "" : target.Group;
        if (target.Kind.Length > 0 && !Array.Exists(Targets, t => t.Group == group && t.Kind == target.Kind))
        {
            var list = string.Join(", ", Targets.Select(t => $"{(t.Group.Length == 0 ? "core" : t.Group)}/{t.Kind}"));
            reader.At("kind").Error($"targetRef must be to one of {list} but was {target.Group}/{target.Kind}", "check group and kind");
        }

        return target;
    }

    private sealed record Selector(ImmutableDictionary<string, string> MatchLabels);
}
