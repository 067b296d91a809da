using System.Collections.Immutable;

namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates <c>corsPolicy</c> (routing.md §2.13).</summary>
internal static class CorsReader
{
    public static CorsPolicy Read(ObjectReader reader)
    {
        var origins = reader.List("allowOrigins", static (r, _) => HttpMatchReader.ReadStringMatch(r));
        var legacy = reader.Texts("allowOrigin");
        var policy = new CorsPolicy
        {
            AllowOrigins = origins.IsEmpty ? [.. legacy.Select(o => new StringMatch(StringMatchKind.Exact, o))] : origins,
            AllowMethods = reader.Texts("allowMethods", static (method, place) =>
            {
                if (method != "*" && !Names.IsToken(method))
                {
                    place.Error($"`{method}` is not an HTTP method", "write GET, POST, …");
                }
            }),
            AllowHeaders = Headers(reader, "allowHeaders"),
            ExposeHeaders = Headers(reader, "exposeHeaders"),
            MaxAge = reader.Duration("maxAge", allowsZero: true),
            AllowCredentials = reader.Boolean("allowCredentials") ?? false,
            UnmatchedPreflights = reader.Enumerated("unmatchedPreflights", UnmatchedPreflights.Forward,
                ("UNSPECIFIED", UnmatchedPreflights.Forward), ("FORWARD", UnmatchedPreflights.Forward), ("IGNORE", UnmatchedPreflights.Ignore)),
        };
        if (policy.MaxAge is { } age && age.Ticks % TimeSpan.TicksPerSecond != 0)
        {
            reader.At("maxAge").Error("max_age duration is accurate only to seconds precision", "write whole seconds");
        }

        return policy;
    }

    private static ImmutableArray<string> Headers(ObjectReader reader, string field) => reader.Texts(field, static (name, place) =>
    {
        if (!Names.IsToken(name))
        {
            place.Error($"header name `{name}` is not a valid header name", "use letters, digits, `-` and `_`");
        }
    });
}
