using System.Net;
using FsCheck.Xunit;
using Portcullis.Gateway.Jwks;

namespace Portcullis.Gateway.Tests.Jwks;

public sealed class RuleTests
{
    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("169.254.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("100.100.100.200")]
    [InlineData("168.63.129.16")]
    [InlineData("192.0.0.192")]
    [InlineData("::")]
    [InlineData("fe80::1")]
    [InlineData("febf::1")]
    [InlineData("ff02::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fd20:ce::254")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::169.254.169.254")]
    [InlineData("64:ff9b::169.254.169.254")]
    [InlineData("2002:a9fe:a9fe::1")]
    public void Allows_OfAnAddressNoKeyServerHas_IsFalse(string address) =>
        Assert.False(new JwksTargetRule(new()).Allows(IPAddress.Parse(address)));

    [Theory]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.31.0.1", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("::1", false)]
    [InlineData("fd12::1", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("64:ff9b::10.0.0.1", false)]
    [InlineData("203.0.113.1", true)]
    [InlineData("172.32.0.1", true)]
    [InlineData("2001:db8::1", true)]
    public void Allows_OfAPrivateAddress_IsTheOperatorsChoice(string address, bool isPublic)
    {
        Assert.True(new JwksTargetRule(new()).Allows(IPAddress.Parse(address)));
        Assert.Equal(isPublic, new JwksTargetRule(new() { AllowPrivateAddresses = false }).Allows(IPAddress.Parse(address)));
    }

    [Theory]
    [InlineData("203.0.113.9", false)]
    [InlineData("::ffff:203.0.113.9", false)]
    [InlineData("203.0.114.9", true)]
    public void Allows_OfABlockedNetwork_IsFalse(string address, bool allowed) => Assert.Equal(
        allowed, new JwksTargetRule(new() { BlockedNetworks = [IPNetwork.Parse("203.0.113.0/24")] }).Allows(IPAddress.Parse(address)));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("300ms", 300)]
    [InlineData("20m", 1_200_000)]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData(".5s", 500)]
    [InlineData("2us", 0.002)]
    [InlineData("2µs", 0.002)]
    [InlineData("1500ns", 0.0015)]
    [InlineData("1m1s1ms", 61_001)]
    public void Parse_OfAGoDuration_IsItsTime(string text, double milliseconds)
    {
        Assert.True(GoDuration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromTicks((long)(milliseconds * TimeSpan.TicksPerMillisecond)), duration);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("20")]
    [InlineData("m")]
    [InlineData("20x")]
    [InlineData("-1s")]
    [InlineData("1.2.3s")]
    [InlineData("1s ")]
    [InlineData(".s")]
    [InlineData("999999999999h")]
    [InlineData("99999999999999999999999999h")]
    public void Parse_OfWhatIsNoGoDuration_Fails(string? text) => Assert.False(GoDuration.TryParse(text, out _));

    [Property]
    public void Parse_OfAnything_IsADurationOrZero(string? text) =>
        Assert.True(GoDuration.TryParse(text, out var duration) || duration == TimeSpan.Zero);

    [Theory]
    [InlineData(null, 20, false)]
    [InlineData("", 20, false)]
    [InlineData("5m", 5, false)]
    [InlineData("five minutes", 20, true)]
    [InlineData("1ms", 20, true)]
    [InlineData("10000h", 20, true)]
    public void FromEnvironment_WithTheVariable_SetsTheIntervalOrSaysWhatIsWrong(string? value, int minutes, bool isProblem)
    {
        var options = JwksFetchOptions.FromEnvironment(name => name == "PILOT_JWT_PUB_KEY_REFRESH_INTERVAL" ? value : null, out var problem);

        Assert.Equal(TimeSpan.FromMinutes(minutes), options.RefreshInterval);
        Assert.Equal(isProblem, problem is not null);
        Assert.True(problem is null || problem.Contains($"`{value}`", StringComparison.Ordinal));
    }

    [Fact]
    public void Create_WithImpossibleOptions_NamesTheOption() => Assert.Equal(
        nameof(JwksFetchOptions.RefreshInterval),
        Assert.Throws<ArgumentOutOfRangeException>(() => new RemoteJwksResolver(new() { RefreshInterval = TimeSpan.Zero })).ParamName);

    [Property]
    public void Next_OfAnyHistory_StaysBetweenItsBoundsAndNeverShrinks(FsCheck.NonNegativeInt failures, bool hasKeys, FsCheck.NormalFloat seed)
    {
        var options = new JwksFetchOptions();
        var random = Math.Abs(seed.Get % 1);

        var wait = JwksSchedule.Next(options, failures.Get, hasKeys, random);

        Assert.InRange(wait, TimeSpan.FromSeconds(0.9), TimeSpan.FromHours(1));
        Assert.True(failures.Get == 0 || JwksSchedule.Next(options, failures.Get + 1, hasKeys, random) >= wait);
        Assert.True(hasKeys || failures.Get == 0 || wait <= options.EmptyBackoffMaximum);
    }

    [Theory]
    [InlineData(0, 500)]
    [InlineData(1, 500)]
    [InlineData(2, 1000)]
    [InlineData(1_000_000, 3_600_000)]
    public void Next_OfAShortInterval_BeginsItsBackoffThere(int failures, int milliseconds) => Assert.Equal(
        TimeSpan.FromMilliseconds(milliseconds),
        JwksSchedule.Next(new() { RefreshInterval = TimeSpan.FromMilliseconds(500) }, failures, hasKeys: true, random: 0));

    [Theory]
    [InlineData("https://user:pass@keys.test:8443/a/b?key=1#f", "https://keys.test:8443/a/b")]
    [InlineData("http://keys.test", "http://keys.test/")]
    [InlineData("javascript:alert(1)", "(not an http URL)")]
    [InlineData("", "(not an http URL)")]
    public void Redact_OfAUrl_LeavesOutWhatMayBeSecret(string url, string shown) => Assert.Equal(shown, JwksUrl.Redact(url));
}
