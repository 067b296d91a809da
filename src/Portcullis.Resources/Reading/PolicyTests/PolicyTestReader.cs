using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Portcullis.Resources.PolicyTests;

namespace Portcullis.Resources.Reading.PolicyTests;

/// <summary>Reads one document of policy tests: defaults, identities, tests and their cases.</summary>
internal sealed class PolicyTestReader(ReadContext context, string source)
{
    private readonly TestIdentityReader _identities = new();
    private readonly List<PolicyTest> _tests = [];

    public PolicyTestSuite Read(MappingNode document)
    {
        var reader = new ObjectReader(context, document, document.Position, new FieldPath(null, null));
        var name = reader.Text("name");
        var now = Now(reader);
        _identities.ReadKnown(reader, "identities");
        var defaults = reader.Object("defaults", child => Fields(child)) ?? new TestFields();
        if (!reader.Has("tests") || reader.HasEmptyList("tests"))
        {
            reader.At("tests").Error("there are no tests", "add `tests`, a list of requests with what has to become of them", ProblemCodes.MissingField);
        }

        reader.List("tests", (child, index) => Test(child, index, defaults));
        reader.Finish();
        return new PolicyTestSuite { Source = source, Name = name ?? Path.GetFileNameWithoutExtension(source), Now = now, Tests = [.. _tests] };
    }

    private static DateTimeOffset? Now(ObjectReader reader)
    {
        if (reader.Text("now") is not { } text)
        {
            return null;
        }

        if (TestIdentityReader.TryTime(text, out var time))
        {
            return time;
        }

        reader.At("now").Error($"`{text}` is not a time", "write it like 2026-01-31T12:00:00Z");
        return null;
    }

    private TestFields Test(ObjectReader reader, int index, TestFields defaults)
    {
        var before = context.Errors;
        var name = reader.Text("name");
        var fields = Fields(reader).Over(defaults);
        if (!reader.Has("cases"))
        {
            reader.Accept("cases");
            Add(reader, name ?? Describe(fields), fields, before);
            return fields;
        }

        if (reader.HasEmptyList("cases"))
        {
            reader.At("cases").Error("there are no cases", "list at least one, or remove `cases`");
        }

        var parent = name ?? string.Create(CultureInfo.InvariantCulture, $"test {index + 1}");
        reader.List("cases", (child, _) =>
        {
            var errors = context.Errors;
            var own = child.Text("name");
            var all = Fields(child).Over(fields);
            Add(child, $"{parent} / {own ?? Describe(all)}", all, errors);
            return all;
        });
        return fields;
    }

    private TestFields Fields(ObjectReader reader)
    {
        var request = TestRequestReader.Read(reader, "request");
        return new TestFields
        {
            Request = request,
            Who = _identities.Read(reader),
            Claims = TestIdentityReader.ReadChanges(reader),
            TokenPlace = TestIdentityReader.ReadPlace(reader),
            Client = reader.ScalarOrObject("from", "an address or a mapping", ClientAddress, Client),
            Authorizers = TestExpectationReader.ReadAuthorizers(reader).ToImmutableDictionary(a => a.Name, a => a.Answer),
            Expect = TestExpectationReader.Read(reader),
            Skip = reader.Text("skip"),
        };
    }

    /// <param name="reader">The test, or the case of it.</param>
    /// <param name="name">Its name.</param>
    /// <param name="fields">All that it says.</param>
    /// <param name="before">Errors before it was read: what a misread field leaves open is not reported on top.</param>
    private void Add(ObjectReader reader, string name, TestFields fields, int before)
    {
        var request = fields.Request.Build();
        if (request is null && context.Errors == before)
        {
            reader.At("request").Error("the request has no host", "add `host` to `request`, or once to `defaults.request`", ProblemCodes.MissingField);
        }

        if (fields.Expect is null && !reader.Has("expect"))
        {
            reader.At("expect").Error("`expect` is required", "say what has to become of the request: allow, deny, 401, 403, …", ProblemCodes.MissingField);
        }

        if (!fields.Claims.IsEmpty && fields.Who?.Claims is null)
        {
            reader.At("claims").Error("`claims` changes those of `as`, and there is no `as`", "write the claims under `as`");
        }

        if (context.Errors == before && request is not null && fields.Expect is { } expect)
        {
            _tests.Add(new PolicyTest
            {
                Name = name,
                Position = reader.Position,
                Request = request,
                Claims = fields.AllClaims,
                Token = fields.Who?.Token,
                TokenPlace = fields.TokenPlace,
                Client = fields.Client ?? new TestClient(),
                Authorizers = fields.Authorizers,
                Expect = expect,
                Skip = fields.Skip,
            });
        }
    }

    private static string Describe(TestFields fields)
    {
        var request = fields.Request.Build();
        return $"{request?.Method ?? fields.Request.Method ?? "GET"} {request?.Target ?? fields.Request.Path ?? "/"}{(fields.Who?.Claims is null && fields.Who?.Token is null ? "" : " with a token")}";
    }

    private static TestClient? ClientAddress(ScalarNode scalar, Place place) => Address(scalar.Text, place) is { } ip ? new TestClient { Ip = ip } : null;

    private static TestClient Client(ObjectReader reader) => new()
    {
        Ip = reader.Text("ip") is { } ip ? Address(ip, reader.At("ip")) ?? IPAddress.Loopback : IPAddress.Loopback,
        RemoteIp = reader.Text("remoteIp") is { } remote ? Address(remote, reader.At("remoteIp")) : null,
        Principal = Principal(reader),
        ServerName = reader.Text("sni"),
    };

    private static string? Principal(ObjectReader reader)
    {
        if (reader.Text("principal") is not { } text)
        {
            return null;
        }

        if (!text.Contains("://", StringComparison.Ordinal))
        {
            reader.At("principal").Error($"`{text}` is not a URI", $"write the name as it stands in the certificate: spiffe://{text}");
        }

        return text;
    }

    private static IPAddress? Address(string text, Place place)
    {
        // The parser also takes 10 and 10.9 for addresses, which nobody means.
        if (IPAddress.TryParse(text, out var address) && (text.Contains(':', StringComparison.Ordinal) || text.Count(c => c == '.') == 3))
        {
            return address;
        }

        place.Error($"`{text}` is not an IP address", "write it like 203.0.113.7 or 2001:db8::1");
        return null;
    }
}
