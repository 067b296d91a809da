namespace Portcullis.Resources.Tests.Fixing;

public sealed class TextFixerTests
{
    [Theory]
    [InlineData("a: [x, y]", 1, 5, "x", "z", "a: [z, y]")]
    [InlineData("a: ['x', y]", 1, 5, "x", "z", "a: ['z', y]")]
    [InlineData("a: [\"x\", y]", 1, 5, "x", "z", "a: [\"z\", y]")]
    [InlineData("a: x # why", 1, 4, "x", "z", "a: z # why")]
    [InlineData("a: x", 1, 4, "x", "- z", "a: \"- z\"")]
    [InlineData("a: 'it''s'", 1, 4, "it's", "its", "a: 'its'")]
    [InlineData("key: v", 1, 1, "key", "name", "name: v")]
    [InlineData("\"key\": v", 1, 1, "key", "name", "\"name\": v")]
    [InlineData("a: b\r\nc: d\r\n", 2, 4, "d", "e", "a: b\r\nc: e\r\n")]
    [InlineData("a: xx", 1, 4, "x", "z", null)] // another word
    [InlineData("a: \"\\x78\"", 1, 4, "x", "z", null)] // escapes have many spellings
    [InlineData("a: x", 1, 9, "x", "z", null)]
    [InlineData("a: x", 7, 1, "x", "z", null)]
    public void Apply_AReplacement_TouchesNothingElse(string text, int line, int column, string old, string replacement, string? expected) =>
        Assert.Equal(expected ?? text, TextFixer.Apply(text, [At(line, column, new(old, replacement))]).Text);

    [Theory]
    [InlineData("- 1", 3, "1", "- \"1\"")]
    [InlineData("- '1'", 3, "1", "- '1'")]
    public void Apply_Quotes_OnlyWhatHasNone(string text, int column, string value, string expected) =>
        Assert.Equal(expected, TextFixer.Apply(text, [At(1, column, new(value, value, IsQuoted: true))]).Text);

    [Theory]
    [InlineData("l:\n- a\n- a\nz: 1\n", 3, 3, "l:\n- a\nz: 1\n")]
    [InlineData("l:\n- a\n- a # why\n", 3, 3, null)] // the comment would be lost
    [InlineData("l:\n- b\n- - a\n", 3, 5, null)]
    [InlineData("l: [a, b, a]\n", 1, 11, "l: [a, b]\n")]
    [InlineData("l: [a, a, b]\n", 1, 8, "l: [a, b]\n")]
    [InlineData("l: [a, \"a\"] # why\n", 1, 8, "l: [a] # why\n")]
    public void Apply_ARemoval_TakesTheItemAndNoComment(string text, int line, int column, string? expected) =>
        Assert.Equal(expected ?? text, TextFixer.Apply(text, [At(line, column, new("a", null))]).Text);

    [Fact]
    public void Apply_SeveralFixesOfOneLine_AreAllMade()
    {
        var result = TextFixer.Apply("l: [a, b, a, b, a]\n", [At(1, 11, new("a", null)), At(1, 14, new("b", null)), At(1, 17, new("a", null)), At(1, 5, new("a", "c"))]);

        Assert.Equal("l: [c, b]\n", result.Text);
        Assert.Equal(4, result.Fixed.Length);
        Assert.Equal(new FixedLine(1, "l: [a, b, a, b, a]", "l: [c, b]"), Assert.Single(result.Lines));
    }

    [Fact]
    public void Apply_OneFixFoundTwice_IsMadeOnce()
    {
        var problem = At(1, 4, new("x", "xx"));

        Assert.Equal("a: xx", TextFixer.Apply("a: x", [problem, problem]).Text);
    }

    private static Problem At(int line, int column, SuggestedFix fix) => new()
    {
        Code = ProblemCodes.InvalidValue,
        Severity = ProblemSeverity.Error,
        Message = "m",
        Position = new(line, column),
        Fix = fix,
    };
}
