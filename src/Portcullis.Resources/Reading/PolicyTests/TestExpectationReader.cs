using System.Globalization;
using Portcullis.Resources.PolicyTests;

namespace Portcullis.Resources.Reading.PolicyTests;

/// <summary>Reads what has to become of a request, and what external authorizers say to it.</summary>
internal static class TestExpectationReader
{
    private const string Written = "write allow, deny, a status such as 401 or 403, or a mapping of outcome, status, policy, rule, body, reason, principal and route";
    private const string AuthorizerWritten = "write allow, deny, error, or the status of a denial";

    public static TestExpectation? Read(ObjectReader reader) =>
        reader.ScalarOrObject("expect", "allow, deny, a status or a mapping", Short, Long);

    public static (string Name, AuthorizerAnswer Answer)[] ReadAuthorizers(ObjectReader reader)
    {
        const string Name = "authorizer";
        var answers = new List<(string, AuthorizerAnswer)>();
        reader.ScalarOrObject<object>(Name, "an answer, or a mapping of providers to answers", (scalar, place) => Take("", scalar, place), child =>
        {
            child.EachField((entry, place) =>
            {
                if (entry.Value is ScalarNode scalar)
                {
                    Take(entry.Key, scalar, place);
                }
                else
                {
                    ObjectReader.Mistyped(place, "an answer", entry.Value);
                }
            });
            return null;
        });
        return [.. answers];

        object? Take(string provider, ScalarNode scalar, Place place)
        {
            if (Answer(scalar, place) is { } answer)
            {
                answers.Add((provider, answer));
            }

            return null;
        }
    }

    private static AuthorizerAnswer? Answer(ScalarNode scalar, Place place)
    {
        switch (scalar.Text)
        {
            case "allow":
                return new AuthorizerAnswer(AuthorizerOutcome.Allow);
            case "deny":
                return new AuthorizerAnswer(AuthorizerOutcome.Deny);
            case "error":
                return new AuthorizerAnswer(AuthorizerOutcome.Error);
            case var text when Status(text) is { } status and >= 400:
                return new AuthorizerAnswer(AuthorizerOutcome.Deny, status);
            default:
                place.Error($"`{scalar.Text}` is not an answer of an authorizer", Suggest(scalar.Text, AuthorizerWritten, "allow", "deny", "error"));
                return null;
        }
    }

    private static TestExpectation? Short(ScalarNode scalar, Place place)
    {
        if (Outcome(scalar.Text) is { } allowed)
        {
            return new TestExpectation { IsAllowed = allowed };
        }

        if (Status(scalar.Text) is { } status)
        {
            return new TestExpectation { Status = status };
        }

        place.Error($"`{scalar.Text}` is nothing to expect", Suggest(scalar.Text, Written, "allow", "deny"));
        return null;
    }

    private static TestExpectation Long(ObjectReader reader)
    {
        var outcome = reader.Text("outcome");
        if (outcome is not null && Outcome(outcome) is null)
        {
            reader.At("outcome").Error($"`{outcome}` is not an outcome", Suggest(outcome, "write allow or deny", "allow", "deny"));
        }

        var expectation = new TestExpectation
        {
            IsAllowed = outcome is null ? null : Outcome(outcome),
            Status = reader.Integer("status", 100, 599),
            Policy = reader.Text("policy"),
            Rule = reader.Integer("rule", 0, int.MaxValue),
            Body = reader.Text("body"),
            Reason = reader.Text("reason"),
            Principal = reader.Text("principal"),
            Route = reader.Object("route", Route),
        };
        if (reader.IsEmpty)
        {
            reader.Self.Error("an empty expectation always holds", Written);
        }

        if (expectation.Policy == "none" && expectation.Rule is not null)
        {
            reader.At("rule").Error("a decision that no policy made has no rule", "remove `rule`, or name the policy");
        }

        return expectation;
    }

    private static TestRouteExpectation Route(ObjectReader reader)
    {
        var destination = reader.Text("destination");
        int? port = null;
        if (destination?.LastIndexOf(':') is { } colon and > 0)
        {
            if (int.TryParse(destination.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 65536)
            {
                (port, destination) = (number, destination[..colon]);
            }
            else
            {
                reader.At("destination").Error($"`{destination}` is not a destination", "write it like reviews.default or reviews.default:9080");
            }
        }

        return new TestRouteExpectation
        {
            Host = destination,
            Port = port,
            Subset = reader.Text("subset"),
            Action = reader.Enumerated<string?>("action", null, ("forward", "forward"), ("redirect", "redirect"), ("respond", "respond"), ("none", "none")),
            VirtualService = reader.Text("virtualService"),
            Name = reader.Text("name"),
        };
    }

    private static bool? Outcome(string text) => text switch { "allow" => true, "deny" => false, _ => null };

    private static int? Status(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var status) && status is >= 100 and <= 599 ? status : null;

    private static string Suggest(string text, string otherwise, params string[] known) =>
        FieldName.Nearest(text, known) is { } near ? $"did you mean `{near}`?" : otherwise;
}
