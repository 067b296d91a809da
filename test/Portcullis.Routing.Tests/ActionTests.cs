using Portcullis.Routing.Tests.Support;

namespace Portcullis.Routing.Tests;

public sealed class ActionTests
{
    private const RetryConditions Default = RetryConditions.ConnectFailure | RetryConditions.RefusedStream | RetryConditions.GrpcUnavailable
        | RetryConditions.GrpcCancelled | RetryConditions.StatusCodes;

    [Theory]
    [InlineData("", 2, Default, "")]
    [InlineData("retries: {attempts: 0}", 0, RetryConditions.None, "")]
    [InlineData("retries: {attempts: 3}", 3, Default, "")]
    [InlineData("retries: {attempts: 3, retryOn: \"503, reset\"}", 3, RetryConditions.StatusCodes | RetryConditions.Reset, "503")]
    [InlineData("retries: {attempts: 1, retryOn: \"5xx,unavailable,502,501\"}", 1, RetryConditions.ServerError | RetryConditions.GrpcUnavailable | RetryConditions.StatusCodes, "501,502")]
    public void Retry_AsWrittenOrIstiosDefault(string field, int attempts, RetryConditions conditions, string codes)
    {
        var retry = Forward(field).Retry;

        Assert.Equal((attempts, conditions, codes), (retry.Attempts, retry.RetryOn, string.Join(',', retry.StatusCodes)));
    }

    [Theory]
    [InlineData("timeout: 2s, retries: {attempts: 1, perTryTimeout: 1s}", 1000)]
    [InlineData("timeout: 1s, retries: {attempts: 1, perTryTimeout: 1s}", null)]
    [InlineData("retries: {attempts: 1, perTryTimeout: 5s}", 5000)]
    public void PerTryTimeout_NotBelowTheTimeout_IsIgnored(string fields, int? milliseconds) =>
        Assert.Equal(milliseconds, (int?)Forward(fields).Retry.PerTryTimeout?.TotalMilliseconds);

    [Fact]
    public void Retry_Backoff_IsTenTimesItsBaseAtMost()
    {
        var retry = Forward("retries: {attempts: 1, backoff: 100ms, retryIgnorePreviousHosts: false}").Retry;

        Assert.Equal((100, 1000, false), ((int)retry.BackoffBase.TotalMilliseconds, (int)retry.BackoffMax.TotalMilliseconds, retry.AvoidsPreviousEndpoints));
        Assert.Equal(25, RetryPolicy.Default.BackoffBase.TotalMilliseconds);
    }

    [Fact]
    public void Timeout_NothingWritten_IsNone()
    {
        Assert.Null(Forward("").Timeout);
        Assert.Equal(TimeSpan.FromSeconds(5), Forward("timeout: 5s").Timeout);
        Assert.Null(Forward("timeout: 0s").Timeout);
    }

    [Fact]
    public void Fault_WithoutAPercentage_IsNeverInjected()
    {
        Assert.Null(Forward("fault: {abort: {httpStatus: 500}, delay: {fixedDelay: 1s}}").Fault);
        var fault = Forward("fault: {abort: {grpcStatus: UNAVAILABLE, percentage: {value: 0.5}}, delay: {fixedDelay: 1s, percentage: {value: 10}}}").Fault!;
        Assert.Equal((200, 14, 0.5), (fault.AbortStatus, fault.AbortGrpcStatus!.Value, fault.AbortPercentage));
        Assert.Equal((1.0, 10.0), (fault.Delay.TotalSeconds, fault.DelayPercentage));
    }

    [Fact]
    public void Mirrors_OfNoShare_AreDropped()
    {
        var mirrors = Forward("mirrors: [{destination: {host: b}}, {destination: {host: a}, percentage: {value: 0}}]").Mirrors;

        var mirror = Assert.Single(mirrors);
        Assert.Equal(("outbound|80||b.default.svc.cluster.local", 100.0), (mirror.ClusterName, mirror.Percentage));
    }

    [Fact]
    public void Pick_EveryTicket_FallsByWeight()
    {
        var forward = Compiled.From(
            Compiled.Gateway, Compiled.Service("a"), Compiled.Service("b"),
            Compiled.VirtualService("hosts: [foo.com]\nhttp: [{route: [{destination: {host: a}, weight: 1}, {destination: {host: b}, weight: 3}]}]"))
            .Route(new("/"))!.Forward!;

        Assert.Equal("a", Short(forward.Pick(0)));
        Assert.Equal("a", Short(forward.Pick(0x3FFFFFFF)));
        Assert.Equal("b", Short(forward.Pick(0x40000000)));
        Assert.Equal("b", Short(forward.Pick(uint.MaxValue)));

        static string Short(WeightedDestination destination) => destination.Cluster!.Host[..1];
    }

    [Theory]
    [InlineData("https://o.com", "GET", null, CorsOutcome.AllowResponse)]
    [InlineData("https://sub.o.com", "GET", null, CorsOutcome.AllowResponse)]
    [InlineData("https://evil.com", "GET", null, CorsOutcome.NotApplicable)]
    [InlineData("", "GET", null, CorsOutcome.NotApplicable)]
    [InlineData("https://o.com", "OPTIONS", null, CorsOutcome.AllowResponse)]
    [InlineData("https://o.com", "OPTIONS", "PUT", CorsOutcome.AnswerPreflight)]
    [InlineData("https://evil.com", "OPTIONS", "PUT", CorsOutcome.NotApplicable)]
    public void Cors_OriginAndMethod_DecideTheOutcome(string origin, string method, string? requested, CorsOutcome expected)
    {
        var cors = Forward("corsPolicy: {allowOrigins: [{exact: \"https://o.com\"}, {regex: \"https://.*[.]o[.]com\"}]}").Cors!;
        var request = new TestRequest("/", method: method, headers: requested is null ? [("origin", origin)] : [("origin", origin), ("access-control-request-method", requested)]);

        Assert.Equal(expected, cors.Evaluate(in request));
    }

    [Fact]
    public void Cors_LoneStars_EchoWhatIsAsked()
    {
        var cors = Forward("corsPolicy: {allowOrigins: [{exact: \"*\"}], allowMethods: [\"*\"], allowHeaders: [\"*\"], exposeHeaders: [x, w]}").Cors!;

        Assert.Equal(
            ["access-control-allow-origin=https://any", "access-control-allow-methods=PUT", "access-control-allow-headers=x-a"],
            cors.PreflightHeaders("https://any", "PUT", "x-a").Select(h => $"{h.Name}={h.Value}"));
        Assert.Equal(
            ["access-control-allow-origin=https://any", "access-control-expose-headers=x,w"],
            cors.ResponseHeaders("https://any").Select(h => $"{h.Name}={h.Value}"));
    }

    [Fact]
    public void Cors_UnmatchedPreflightsIgnored_IsAnsweredWithoutAllowOrigin()
    {
        var cors = Forward("corsPolicy: {allowOrigins: [{exact: \"https://o.com\"}], allowMethods: [GET], allowCredentials: true, unmatchedPreflights: IGNORE}").Cors!;
        var request = new TestRequest("/", method: "OPTIONS", headers: [("origin", "https://evil.com"), ("access-control-request-method", "GET")]);

        Assert.Equal(CorsOutcome.AnswerPreflight, cors.Evaluate(in request));
        Assert.Equal(["access-control-allow-methods"], cors.PreflightHeaders("https://evil.com", "GET", null).Select(h => h.Name));
    }

    private static ForwardAction Forward(string fields) => Compiled.From(
        Compiled.Gateway, Compiled.Service("a"), Compiled.Service("b"),
        Compiled.VirtualService($"hosts: [foo.com]\nhttp: [{{{(fields.Length == 0 ? "" : fields + ", ")}route: [{{destination: {{host: a}}}}]}}]"))
        .Route(new("/"))!.Forward!;
}
