using System.Collections.Immutable;

namespace Portcullis.Resources.Reading;

/// <summary>Reads <c>mirrors</c> and the older <c>mirror</c> with its percentages (routing.md §2.12).</summary>
internal static class MirrorReader
{
    public static ImmutableArray<HttpMirror> Read(ObjectReader route)
    {
        var single = route.Object("mirror", HttpRouteReader.ReadTarget);
        var percentage = FaultReader.Percentage(route, "mirrorPercentage");
        var percent = route.Integer("mirrorPercent", 0, 100);
        var many = route.List("mirrors", static (r, _) => new HttpMirror(
            r.Object("destination", HttpRouteReader.ReadTarget, required: true) ?? new Destination { Host = "" },
            FaultReader.Percentage(r, "percentage") ?? 100));
        if (single is null)
        {
            return many;
        }

        if (!many.IsEmpty)
        {
            route.At("mirrors").Error("HTTP route rule cannot contain both mirror and mirrors", "move mirror into mirrors");
        }

        return [new(single, percentage ?? percent ?? 100)];
    }
}
