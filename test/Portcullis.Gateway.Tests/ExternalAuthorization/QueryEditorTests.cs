using Portcullis.Gateway.ExternalAuthorization;

namespace Portcullis.Gateway.Tests.ExternalAuthorization;

public sealed class QueryEditorTests
{
    [Theory]
    [InlineData(null, "", "", null)]
    [InlineData(null, "a=1", "", "a=1")]
    [InlineData("", "a=1", "", "a=1")]
    [InlineData("b=2", "a=1", "", "b=2&a=1")]
    [InlineData("a=x&b&a=y", "a=1", "", "a=1&b")]
    [InlineData("a=x&b&%61=y", "a=1", "", "a=1&b")]
    [InlineData("a=x", "", "a", null)]
    [InlineData("A=x", "", "a", "A=x")]
    [InlineData("a&b=1&c%20d=2&c+d=3", "", "a,c d", "b=1")]
    [InlineData("b=%zz", "", "a", "b=%zz")]
    [InlineData("x=1", "k y=a&b#c d\n%20é", "", "x=1&k%20y=a%26b%23c%20d%0A%20%C3%A9")]
    public void Apply_ChangesWhatIsNamedAndKeepsTheRestAsWritten(string? query, string set, string removed, string? expected)
    {
        List<KeyValuePair<string, string>> parameters = set.Length == 0 ? [] : [new(set[..set.IndexOf('=')], set[(set.IndexOf('=') + 1)..])];

        Assert.Equal(expected, QueryEditor.Apply(query, parameters, [.. removed.Split(',', StringSplitOptions.RemoveEmptyEntries)]));
    }
}
