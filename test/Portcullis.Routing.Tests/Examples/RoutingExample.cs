using System.Globalization;
using YamlDotNet.Serialization;

namespace Portcullis.Routing.Tests.Examples;

/// <summary>One entry of <c>Data/routing-examples.yaml</c>.</summary>
public sealed class RoutingExample
{
    private const string Address = "10.0.0.";

    [YamlMember(Alias = "name")]
    public string Name { get; set; } = "";

    [YamlMember(Alias = "stage")]
    public string? Stage { get; set; }

    [YamlMember(Alias = "reason")]
    public string? Reason { get; set; }

    [YamlMember(Alias = "use")]
    public List<string> Use { get; set; } = [];

    [YamlMember(Alias = "resources")]
    public string Resources { get; set; } = "";

    [YamlMember(Alias = "cases")]
    public List<ExampleCase> Cases { get; set; } = [];

    /// <summary>Whether the compiled routes alone can show it.</summary>
    public bool IsPure => Stage is null;

    /// <summary>Why a whole gateway does not run it; <see langword="null"/>: it does.</summary>
    [YamlMember(Alias = "notLive")]
    public string? NotLive { get; set; }

    /// <summary>The documents, with made-up addresses for the two backends.</summary>
    public string[] Documents(ExampleFile file) => Documents(file, Fill);

    /// <summary>The documents.</summary>
    /// <param name="file">Has the parts.</param>
    /// <param name="fill">Puts the addresses of the backends in.</param>
    public string[] Documents(ExampleFile file, Func<string, string> fill) =>
        [.. Use.Select(u => file.Parts[u]).Append(Resources).Where(d => d.Length > 0).Select(fill)];

    /// <summary>Puts the addresses in.</summary>
    public static string Fill(string text) => text
        .Replace("$A_ADDRESS", Address + "1", StringComparison.Ordinal).Replace("$B_ADDRESS", Address + "2", StringComparison.Ordinal)
        .Replace("$A_PORT", 8001.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
        .Replace("$B_PORT", 8002.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
}

/// <summary>A request and what must become of it.</summary>
public sealed class ExampleCase
{
    [YamlMember(Alias = "request")]
    public Dictionary<string, object> Request { get; set; } = [];

    [YamlMember(Alias = "expect")]
    public Dictionary<string, object> Expect { get; set; } = [];

    /// <summary>What a whole gateway answers otherwise, where a reader of HTTP comes before the routes.</summary>
    [YamlMember(Alias = "live")]
    public Dictionary<string, object> Live { get; set; } = [];
}

/// <summary>The whole file.</summary>
public sealed class ExampleFile
{
    [YamlMember(Alias = "parts")]
    public Dictionary<string, string> Parts { get; set; } = [];

    [YamlMember(Alias = "examples")]
    public List<RoutingExample> Examples { get; set; } = [];

    public static ExampleFile Load() => Load(Path.Combine(AppContext.BaseDirectory, "Data", "routing-examples.yaml"));

    /// <summary>Reads it from a place.</summary>
    public static ExampleFile Load(string path) => new DeserializerBuilder().Build().Deserialize<ExampleFile>(File.ReadAllText(path));
}
