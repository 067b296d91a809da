namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates <c>loadBalancer</c> (routing.md §4.3).</summary>
internal static class LoadBalancerReader
{
    public static LoadBalancerSettings Read(ObjectReader reader)
    {
        if (reader.Has("localityLbSetting") && reader.Has("zoneAwareLbSetting"))
        {
            reader.At("zoneAwareLbSetting").Error("only one of localityLbSetting and zoneAwareLbSetting can be set", "keep one of the two");
        }

        var legacy = reader.Duration("warmupDurationSecs");
        var warmup = reader.Object("warmup", ReadWarmup);
        var settings = new LoadBalancerSettings
        {
            Simple = reader.Enumerated<string?>("simple", null, ("UNSPECIFIED", "UNSPECIFIED"), ("LEAST_REQUEST", "LEAST_REQUEST"), ("LEAST_CONN", "LEAST_CONN"),
                ("ROUND_ROBIN", "ROUND_ROBIN"), ("RANDOM", "RANDOM"), ("PASSTHROUGH", "PASSTHROUGH")),
            ConsistentHash = reader.Object("consistentHash", ReadHash),
            Warmup = warmup is { Duration.Ticks: > 0 } ? warmup : legacy is { } duration ? new Warmup(duration) : null,
            Locality = LocalityReader.Read(reader),
        };
        if (settings is { Simple: not null, ConsistentHash: not null })
        {
            reader.At("consistentHash").Error("only one of simple or consistentHash can be set", "keep one of the two");
        }

        return settings;
    }

    private static Warmup ReadWarmup(ObjectReader reader)
    {
        var duration = reader.Duration("duration");
        if (duration is null && !reader.Has("duration"))
        {
            reader.At("duration").Error("duration is required", "say how long an endpoint warms up", ProblemCodes.MissingField);
        }

        var aggression = reader.Number("aggression", 0, double.MaxValue) ?? 1;
        if (aggression == 0)
        {
            reader.At("aggression").Error("aggression should be greater than 0", "1 is a straight line");
        }

        return new(duration ?? default, reader.Number("minimumPercent", 0, 100) ?? 10, aggression);
    }

    private static ConsistentHash ReadHash(ObjectReader reader)
    {
        var ring = reader.Integer("minimumRingSize", 0, int.MaxValue);
        ring = reader.Object("ringHash", static r => new Size(r.Integer("minimumRingSize", 0, int.MaxValue)))?.Value ?? ring;
        var table = reader.Object("maglev", static r => new Size(r.Integer("tableSize", 0, 5_000_011) ?? 65_537));
        var hash = new ConsistentHash
        {
            HttpHeaderName = reader.Text("httpHeaderName"),
            HttpCookie = reader.Object("httpCookie", static r =>
            {
                var attributes = r.List("attributes", static (a, _) => new Attribute(a.RequiredText("name"), a.Text("value")));
                return new HashCookie(r.RequiredText("name"), r.Text("path"), r.Duration("ttl", allowsZero: true))
                {
                    Attributes = [.. attributes.Select(a => new KeyValuePair<string, string?>(a.Name, a.Value))],
                };
            }),
            UseSourceIp = reader.Boolean("useSourceIp") ?? false,
            HttpQueryParameterName = reader.Text("httpQueryParameterName"),
            MinimumRingSize = ring,
            MaglevTableSize = table?.Value,
        };
        var keys = (hash.HttpHeaderName is null ? 0 : 1) + (hash.HttpCookie is null ? 0 : 1) + (hash.UseSourceIp ? 1 : 0) + (hash.HttpQueryParameterName is null ? 0 : 1);
        if (keys != 1)
        {
            reader.Self.Error(keys == 0 ? "consistentHash needs a key" : "consistentHash takes one key only", "give one of httpHeaderName, httpCookie, useSourceIp, httpQueryParameterName");
        }

        if (table is not null && (ring is not null || reader.Has("ringHash")))
        {
            reader.At("maglev").Error("only one of ringHash or maglev can be set", "keep one of the two");
        }

        return hash;
    }

    private sealed record Size(int? Value);

    private sealed record Attribute(string Name, string? Value);
}
