using System.Text;
using System.Text.Json;
using Portcullis.Matching;
using Portcullis.Policy.Explanation;
using Portcullis.Resources;

namespace Portcullis.Policy.Tests.Explanation;

public sealed class RecordedFieldsTests
{
    private static readonly RecordedFields Fields = new(Read("""
        apiVersion: security.istio.io/v1
        kind: RequestAuthentication
        metadata: {name: jwt, namespace: istio-system}
        spec:
          jwtRules:
          - {issuer: a, fromHeaders: [{name: X-Token}], fromParams: [jwt]}
        ---
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: p, namespace: istio-system}
        spec:
          rules:
          - when:
            - {key: "request.auth.claims[realm][roles]", values: [admin]}
            - {key: "request.headers[X-Tenant]", values: [a]}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: v, namespace: istio-system}
        spec:
          hosts: [shop.example]
          http:
          - match:
            - headers: {"@request.auth.claims.team.name": {exact: a}, x-canary: {exact: "1"}}
            directResponse: {status: 200}
        """));

    [Theory]
    [InlineData("/a?jwt=secret&b=1", "/a?jwt=<redacted>&b=1")]
    [InlineData("/a?b=1&j%77t=secret", "/a?b=1&j%77t=<redacted>")]
    [InlineData("/a?access_token=secret", "/a?access_token=<redacted>")]
    [InlineData("/a?jwt=one&jwt=two", "/a?jwt=<redacted>&jwt=<redacted>")]
    [InlineData("/a?b=eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln", "/a?b=<redacted>")]
    [InlineData("/a?b=1", "/a?b=1")]
    [InlineData("/a", "/a")]
    public void Target_HasNoValueOfATokenParameter(string target, string kept) => Assert.Equal(kept, Fields.Target(target));

    [Theory]
    [InlineData("x-token", "opaque")]
    [InlineData("Authorization", "Basic abc")]
    [InlineData("cookie", "a=b")]
    public void HeaderValue_OfACredential_IsReplaced(string name, string value) => Assert.Equal("<redacted>", Fields.HeaderValue(name, value));

    [Fact]
    public void Headers_AreThoseThatPoliciesAndRoutesMention()
    {
        Assert.Contains("X-Tenant", Fields.Headers);
        Assert.Contains("x-canary", Fields.Headers);
        Assert.DoesNotContain(Fields.Headers, h => h.StartsWith('@'));
    }

    [Fact]
    public void Claims_ThatNothingMentions_AreLeftOut()
    {
        var claims = new ClaimSet(JsonElement.Parse("""{"iss":"a","email":"ada@example.com","realm":{"roles":["admin"]},"team":{"name":"a"}}"""));

        var recorded = Fields.Record(claims, 4096);

        Assert.Equal("""{"iss":"a","realm":{"roles":["admin"]},"team":{"name":"a"}}""", Encoding.UTF8.GetString(recorded.Json.Span));
        Assert.Equal((true, false), (recorded.IsFiltered, recorded.IsCut));
        Assert.Equal("a", recorded.ToClaims().Issuer);
    }

    [Fact]
    public void Claims_ThatAreTooLong_AreLeftOutAndSaid()
    {
        var claims = new ClaimSet(JsonElement.Parse($$"""{"iss":"a","realm":"{{new string('x', 5000)}}","sub":"b"}"""));

        var recorded = Fields.Record(claims, 4096);

        Assert.Equal("""{"iss":"a","sub":"b"}""", Encoding.UTF8.GetString(recorded.Json.Span));
        Assert.True(recorded.IsCut);
    }

    private static ResourceSet Read(string yaml)
    {
        var read = ResourceReader.Read("test.yaml", yaml);
        Assert.Empty(read.Problems);
        return new ResourceSet(read.Resources, [], "");
    }
}
