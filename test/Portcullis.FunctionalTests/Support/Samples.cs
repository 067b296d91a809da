namespace Portcullis.FunctionalTests.Support;

/// <summary>The repository's samples, as the tests run them.</summary>
internal static class Samples
{
    public static string Root { get; } = Path.Combine(Repository.Root, "samples");

    /// <summary>The guide's resources but its RequestAuthentication, with httpbin's endpoint moved to a port.</summary>
    public static IEnumerable<(string File, string Yaml)> Guide(int backendPort)
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Root, "guide", "config"), "*.yaml"))
        {
            var name = Path.GetFileName(file);
            var text = File.ReadAllText(file);
            switch (name)
            {
                case "request-authentication.yaml":
                    break;
                case "endpoints.yaml":
                    Assert.Contains("port: 8000", text, StringComparison.Ordinal);
                    yield return (name, text.Replace("port: 8000", $"port: {backendPort}", StringComparison.Ordinal));
                    break;
                default:
                    yield return (name, text);
                    break;
            }
        }
    }

    /// <summary>The guide's EndpointSlice for a backend on another port.</summary>
    public static string Endpoints(int port) => Guide(port).Single(f => f.File == "endpoints.yaml").Yaml;

    public static string GuideStep(string name) => File.ReadAllText(Path.Combine(Root, "guide", "steps", name));
}
