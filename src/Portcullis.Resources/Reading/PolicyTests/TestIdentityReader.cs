using System.Collections.Immutable;
using System.Globalization;
using Portcullis.Resources.PolicyTests;

namespace Portcullis.Resources.Reading.PolicyTests;

/// <summary>Reads who sends a request: claims to make a token of, the name of an identity, or a token.</summary>
internal sealed class TestIdentityReader
{
    private const string Anonymous = "anonymous";
    private const string TimeRemedy = "write seconds since 1970, a duration from now such as -1h or 90s, or a time such as 2026-01-31T12:00:00Z";

    private readonly Dictionary<string, ImmutableArray<TestClaim>> _known = new(StringComparer.Ordinal);

    /// <summary>Takes the identities that the file gives names to.</summary>
    public void ReadKnown(ObjectReader suite, string name) => suite.EachEntry(name, (entry, place) =>
    {
        if (entry.Key == Anonymous)
        {
            place.Error($"`{Anonymous}` stands for no token at all", "give the identity another name");
        }
        else if (entry.Value is MappingNode mapping)
        {
            _known[entry.Key] = Claims(mapping, place, suite.Context);
        }
        else
        {
            ObjectReader.Mistyped(place, "a mapping", entry.Value);
        }
    });

    public Identity? Read(ObjectReader reader)
    {
        var claims = reader.ScalarOrObject<Identity>("as", "claims, or the name of an identity", Named, child => new Identity(Fields(child), null));
        var token = reader.Text("token");
        if (token is null)
        {
            return claims;
        }

        if (claims is not null)
        {
            reader.At("token").Error("`as` and `token` are two identities", "keep one of the two");
        }

        return new Identity(null, token.Trim());
    }

    public static ImmutableArray<TestClaim> ReadChanges(ObjectReader reader) =>
        reader.Object("claims", child => Fields(child).ToArray()) is { } claims ? [.. claims] : [];

    public static TestTokenPlace? ReadPlace(ObjectReader reader) => reader.Object("tokenIn", child =>
    {
        var header = child.Text("header");
        var prefix = child.Text("prefix");
        var parameter = child.Text("param");
        var cookie = child.Text("cookie");
        if (new[] { header, parameter, cookie }.Count(p => p is not null) != 1)
        {
            child.Self.Error("a token stands in one place", "give one of `header` (with a `prefix`, if it has one), `param` and `cookie`");
            return null!;
        }

        return header is not null ? new TestTokenPlace(TestTokenKind.Header, header, prefix ?? (header.Equals("authorization", StringComparison.OrdinalIgnoreCase) ? "Bearer " : ""))
            : parameter is not null ? new TestTokenPlace(TestTokenKind.Parameter, parameter)
            : new TestTokenPlace(TestTokenKind.Cookie, cookie!);
    });

    private Identity? Named(ScalarNode scalar, Place place)
    {
        if (scalar.Text == Anonymous)
        {
            return Identity.Anonymous;
        }

        if (_known.TryGetValue(scalar.Text, out var claims))
        {
            return new Identity(claims, null);
        }

        var near = FieldName.Nearest(scalar.Text, _known.Keys.Append(Anonymous));
        place.Error(
            $"there is no identity `{scalar.Text}`",
            near is not null ? $"did you mean `{near}`?" : "add it to `identities`, or write the claims here: {iss: …, sub: …}",
            ProblemCodes.DanglingReference);
        return null;
    }

    private static ImmutableArray<TestClaim> Claims(MappingNode mapping, Place place, ReadContext context) =>
        [.. mapping.Entries.Select(e => Claim(e, new Place(context, new FieldPath(null, place.Path), e.Key, -1, e.Position)))];

    private static ImmutableArray<TestClaim> Fields(ObjectReader reader)
    {
        var claims = ImmutableArray.CreateBuilder<TestClaim>();
        reader.EachField((entry, place) => claims.Add(Claim(entry, place)));
        return claims.DrainToImmutable();
    }

    private static TestClaim Claim(MappingEntry entry, Place place)
    {
        if (entry.Value.IsNull)
        {
            return new TestClaim(entry.Key, null);
        }

        if (entry.Key is not ("exp" or "nbf" or "iat") || entry.Value is not ScalarNode { Kind: ScalarKind.Text } time)
        {
            return new TestClaim(entry.Key, NodeJson.Of(entry.Value));
        }

        if (GoDuration.TryParse(time.Text, out var distance))
        {
            return new TestClaim(entry.Key, null, distance);
        }

        if (TryTime(time.Text, out var at))
        {
            return new TestClaim(entry.Key, at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        }

        place.Error($"`{time.Text}` is not a time", TimeRemedy);
        return new TestClaim(entry.Key, null);
    }

    public static bool TryTime(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time)
        && text.Length >= 10 && text[4] == '-';
}
