using System.Text.Json;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;

namespace Portcullis.Policy.Tests.Authentication;

/// <summary>Every worked example of request authentication, in Istio-exact mode and in ours.</summary>
public sealed class ExampleTests
{
    [Theory]
    [MemberData(nameof(AuthenticationExamples.Names), MemberType = typeof(AuthenticationExamples))]
    public void Authenticate_WorkedExample_AnswersAsWritten(string name)
    {
        var example = AuthenticationExamples.Get(name);
        var options = new AuthenticationOptions { IstioExact = example.IsExact, Cache = new() };
        var (stage, _) = TestPolicies.Compile(example.Policies, options, example.KeyServers);
        var request = example.Request;

        for (var round = 0; round < 2; round++) // the second time with the token remembered
        {
            var result = stage!.Authenticate(in request, TestPolicies.Now);

            Assert.Equal(example.Expect.GetProperty("status").GetInt32(), result.IsAccepted ? 200 : result.Status.HttpStatusCode);
            if (result.IsAccepted)
            {
                AssertIdentity(example.Expect.GetProperty("identity"), result.Identity);
                AssertForwarded(example, request.After(result.Edits));
            }
            else
            {
                Assert.Equal(example.Expect.GetProperty("body").GetString(), result.Status.Message);
                Assert.Equal(example.Expect.GetProperty("challengeError").GetBoolean(), result.Status != JwtStatus.Missing);
            }
        }
    }

    private static void AssertIdentity(JsonElement expected, JwtIdentity? identity)
    {
        if (expected.ValueKind == JsonValueKind.Null)
        {
            Assert.Null(identity);
            return;
        }

        Assert.NotNull(identity);
        Assert.Equal(expected.GetProperty("issuer").GetString(), identity.Issuer);
        Assert.Equal(expected.GetProperty("subject").GetString(), identity.Subject);
    }

    private static void AssertForwarded(AuthenticationExamples.Example example, TestRequest forwarded)
    {
        if (example.Expect.TryGetProperty("headers", out var headers))
        {
            foreach (var header in headers.EnumerateObject())
            {
                Assert.Equal(header.Value.EnumerateArray().Select(v => example.Fill(v.GetString()!)), forwarded.Lines(header.Name));
            }
        }

        if (example.Expect.TryGetProperty("path", out var path))
        {
            Assert.Equal(example.Fill(path.GetString()!), forwarded.Target);
        }
    }
}
