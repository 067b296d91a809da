namespace Portcullis.Routing.Tests;

public sealed class PortMapTests
{
    [Theory]
    [InlineData(80, 8080)]
    [InlineData(443, 8443)]
    [InlineData(8080, 8080)]
    [InlineData(31400, 31400)]
    public void Bound_NothingMapped_IsAsIstiosOwnGateway(int declared, int bound) => Assert.Equal(bound, PortMap.Default.Bound(declared));

    [Fact]
    public void Bound_MappedPort_GoesBeforeTheDefault()
    {
        Assert.True(PortMap.TryParse(["80=80", "9000=0"], out var map, out _));

        Assert.Equal((80, 8443, 0), (map.Bound(80), map.Bound(443), map.Bound(9000)));
    }

    [Theory]
    [InlineData("8080", "`8080` is not a port mapping; write it as DECLARED=BOUND, for example 80=8080")]
    [InlineData("http=8080", "`http` in `http=8080` is not a port; use a number from 1 to 65535")]
    [InlineData("0=8080", "`0` in `0=8080` is not a port; use a number from 1 to 65535")]
    [InlineData("80=70000", "`70000` in `80=70000` is not a port; use a number from 0 to 65535 (0: any free port)")]
    [InlineData("80=", "`` in `80=` is not a port; use a number from 0 to 65535 (0: any free port)")]
    public void TryParse_BadEntry_SaysTheRightForm(string entry, string expected)
    {
        Assert.False(PortMap.TryParse(["443=8443", entry], out var map, out var error));

        Assert.Null(map);
        Assert.Equal(expected, error);
    }

    [Fact]
    public void TryParse_PortMappedTwice_IsRefused()
    {
        Assert.False(PortMap.TryParse(["80=1", "80=2"], out _, out var error));

        Assert.Equal("port 80 is mapped twice; give each declared port once", error);
    }
}
