using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Portcullis.Resources.Tests.Reading;

/// <summary>What a text is cut into, what is taken over from YAML and JSON, and that nothing makes the reader throw.</summary>
public sealed class ReadingTests
{
    private static readonly string[] Seeds = [.. new[] { "Complete", "Guide" }.SelectMany(f => Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, f))).Select(File.ReadAllText)];

    private static readonly string[] Insertions =
    [
        "", " ", "\n", "\t", ":", "- ", "[", "]", "{", "}", "\"", "'", "&a ", "*a", "!!str ", "!x ", "|\n", "---\n", "null", "yes", "0x", "\\", "%", "<<: ", "#",
        "\0", "\uD800", "?", "\"\\UFFFFFFFF\"",
    ];

    private const string Secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: NAME}\n";

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("---\n---\n...\n")]
    [InlineData("\uFEFF---\n# comment\n")]
    [InlineData("null\n")]
    public void Read_EmptyDocuments_AreNothing(string text)
    {
        var result = ResourceReader.Read("a.yaml", text);

        Assert.Empty(result.Resources);
        Assert.Empty(result.Problems);
    }

    [Theory]
    [InlineData("---\n", "\n---\n")]
    [InlineData("%YAML 1.1\n---\n", "---\n")]
    [InlineData("", "...\n---\n")]
    [InlineData("# first\n\n---\n", "--- # second\n")]
    [InlineData("\uFEFF", "\r\n---\r\n")]
    public void Read_TwoDocuments_HoweverTheyAreParted_AreBothRead(string before, string between)
    {
        var result = ResourceReader.Read("a.yaml", before + Secret.Replace("NAME", "a", StringComparison.Ordinal) + between + Secret.Replace("NAME", "b", StringComparison.Ordinal));

        Assert.Empty(result.Problems);
        Assert.Equal(["a", "b"], result.Resources.Select(r => r.Metadata.Name));
        Assert.Equal([0, 1], result.Resources.Select(r => r.Origin.Order));
    }

    [Fact]
    public void Read_ASyntaxErrorInTheMiddle_LeavesTheOtherDocuments()
    {
        var result = ResourceReader.Read("a.yaml", $"{Secret.Replace("NAME", "a", StringComparison.Ordinal)}---\na: [\n---\n{Secret.Replace("NAME", "b", StringComparison.Ordinal)}");

        var problem = Assert.Single(result.Problems);
        Assert.Equal(ProblemCodes.Syntax, problem.Code);
        Assert.Equal(["a", "b"], result.Resources.Select(r => r.Metadata.Name));
        Assert.Equal(new SourcePosition(9, 18), result.Resources[1].Origin.Locate("metadata.name"));
    }

    [Fact]
    public void Read_ABlockScalarWithDashes_IsNotCutWhereTheyAreIndented()
    {
        var result = ResourceReader.Read("a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  x: |\n    ---\n    ok\n");

        Assert.Equal("---\nok\n", System.Text.Encoding.UTF8.GetString(Assert.IsType<Secret>(Assert.Single(result.Resources)).Values["x"].Span));
    }

    [Fact]
    public void Read_AnchorsAndMergeKeys_AreFollowed()
    {
        var result = ResourceReader.Read("a.yaml", """
            apiVersion: v1
            kind: Service
            metadata:
              name: &name web
              labels: &labels
                app: *name
                tier: a
            spec:
              selector: {<<: *labels, tier: b}
              ports: [&port {port: 80, name: a}, {<<: [*port, {protocol: UDP}], name: b}]
            """);

        Assert.Empty(result.Problems);
        var service = Assert.IsType<Service>(Assert.Single(result.Resources));
        Assert.Equal(("web", "b"), (service.Selector["app"], service.Selector["tier"]));
        Assert.Equal((80, "b", "UDP"), (service.Ports[1].Port, service.Ports[1].Name, service.Ports[1].Protocol));
    }

    [Fact]
    public void Read_JsonWithTabsAndSeveralValues_IsRead()
    {
        var result = ResourceReader.Read("a.json", "{\n\t\"apiVersion\": \"v1\",\t\"kind\": \"Secret\", \"metadata\": {\"name\": \"ä\\u0062\"}}\n{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"metadata\": {\"name\": \"b\"}}");

        Assert.Equal("b", Assert.Single(result.Resources).Metadata.Name);
        var problem = Assert.Single(result.Problems);
        Assert.Equal((new SourcePosition(2, 61), "metadata.name"), (problem.Position, problem.FieldPath));
    }

    [Fact]
    public void Read_TheSameFieldInBothSpellings_IsAnError()
    {
        var result = ResourceReader.Read("a.yaml", "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: a}\nspec:\n  jwtRules:\n  - issuer: a\n    jwksUri: https://a\n    jwks_uri: https://b\n");

        Assert.Equal((ProblemCodes.DuplicateKey, new SourcePosition(8, 5)), (Assert.Single(result.Problems).Code, result.Problems[0].Position));
        Assert.Empty(result.Resources);
    }

    [Fact]
    public void Read_SnakeCaseInAKubernetesKind_IsUnknown()
    {
        var result = ResourceReader.Read("a.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80, target_port: 8080}]}\n");

        Assert.Equal("did you mean `targetPort`?", Assert.Single(result.Problems).Remedy);
    }

    [Fact]
    public void Read_DeepNesting_IsRefused()
    {
        var result = ResourceReader.Read("a.yaml", new string('[', 100_000));

        Assert.Equal(ProblemCodes.Syntax, Assert.Single(result.Problems).Code);
    }

    [Fact]
    public void Build_TheSameNameTwice_RefusesTheLaterAndNamesBothPlaces()
    {
        var first = ResourceReader.Read("a.yaml", Secret.Replace("NAME", "x", StringComparison.Ordinal));
        var second = ResourceReader.Read("b.yaml", "\n" + Secret.Replace("NAME", "x", StringComparison.Ordinal) + "---\n" + Secret.Replace("NAME", "z", StringComparison.Ordinal));

        var set = ResourceSetBuilder.Build([first, second], [], MeshConfig.Default, "r");

        Assert.Equal([("a.yaml", 0), ("b.yaml", 1)], set.All.Select(r => (r.Origin.Source, r.Origin.Order)));
        var problem = Assert.Single(set.Problems);
        Assert.Equal((ProblemCodes.DuplicateResource, "b.yaml", new SourcePosition(4, 18)), (problem.Code, problem.Source, problem.Position));
        Assert.Contains("a.yaml:3:18", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("1.5s", 1500)]
    [InlineData("1h2m3s4ms", 3_723_004)]
    [InlineData("-1m", -60_000)]
    [InlineData(".5s", 500)]
    [InlineData("+2us500000ns", 0.502)]
    public void GoDuration_AsGoWritesIt_IsRead(string text, double milliseconds)
    {
        Assert.True(Resources.Reading.GoDuration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), duration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("1 s")]
    [InlineData("1d")]
    [InlineData("1.2.3s")]
    [InlineData("1s-")]
    [InlineData("99999999999h")]
    public void GoDuration_OtherText_IsRefused(string text) => Assert.False(Resources.Reading.GoDuration.TryParse(text, out _));

    [Property(MaxTest = 300)]
    public Property Read_MutatedText_NeverThrows()
    {
        var edit = Gen.Choose(0, 10_000).Zip(Gen.Elements(Insertions));
        var cases = from seed in Gen.Elements(Seeds)
                    from edits in edit.ArrayOf()
                    from name in Gen.Elements("a.yaml", "a.json")
                    select (Seed: seed, Edits: edits, Name: name);
        return Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var text = c.Edits.Aggregate(c.Seed, (t, e) => t.Insert(Math.Min(e.Item1, t.Length), e.Item2));
            var result = ResourceReader.Read(c.Name, text);
            _ = MeshConfigReader.Read(c.Name, text);
            foreach (var resource in result.Resources)
            {
                Assert.NotNull(resource.Origin.Locate("spec.rules[0].to[1].operation"));
            }

            Assert.All(result.Problems, p => Assert.True(p.Position is { Line: > 0, Column: > 0 }, p.ToString()));
        });
    }
}
