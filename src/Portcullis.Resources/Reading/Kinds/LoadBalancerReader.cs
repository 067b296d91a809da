namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates <c>loadBalancer</c> (routing.md §4.3).</summary>
internal static class LoadBalancerReader
{
    public static LoadBalancerSettings Read(ObjectReader reader)
    {
        reader.Object("localityLbSetting", ReadLocality);
        reader.Object("zoneAwareLbSetting", ReadLocality);
        var legacy = reader.Duration("warmupDurationSecs");
        var warmup = reader.Object("warmup", static r =>
        {
            r.Number("minimumPercent", 0, 100);
            r.Number("aggression", 0, double.MaxValue);
            return new Warmup(r.Duration("duration"));
        });
        var settings = new LoadBalancerSettings
        {
            Simple = reader.Enumerated<string?>("simple", null, ("UNSPECIFIED", "UNSPECIFIED"), ("LEAST_REQUEST", "LEAST_REQUEST"), ("LEAST_CONN", "LEAST_CONN"),
                ("ROUND_ROBIN", "ROUND_ROBIN"), ("RANDOM", "RANDOM"), ("PASSTHROUGH", "PASSTHROUGH")),
            ConsistentHash = reader.Object("consistentHash", ReadHash),
            WarmupDuration = warmup?.Duration ?? legacy,
        };
        if (settings is { Simple: not null, ConsistentHash: not null })
        {
            reader.At("consistentHash").Error("only one of simple or consistentHash can be set", "keep one of the two");
        }

        return settings;
    }

    private static ObjectReader ReadLocality(ObjectReader reader)
    {
        reader.Boolean("enabled");
        reader.Integer("minClusterSize", 1, int.MaxValue);
        reader.List("distribute", static (r, _) =>
        {
            r.Text("from");
            r.Accept("to");
            return r;
        });
        reader.List("failover", static (r, _) =>
        {
            r.Text("from");
            r.Text("to");
            return r;
        });
        reader.Texts("failoverPriority");
        reader.Self.Note("locality is not taken into account; endpoints are chosen from all localities", null);
        return reader;
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
                r.List("attributes", static (a, _) =>
                {
                    a.RequiredText("name");
                    a.Text("value");
                    return a;
                });
                return new HashCookie(r.RequiredText("name"), r.Text("path"), r.Duration("ttl", allowsZero: true));
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

    private sealed record Warmup(TimeSpan? Duration);
}
