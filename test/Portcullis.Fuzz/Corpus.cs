using System.Security.Cryptography;

namespace Portcullis.Fuzz;

/// <summary>Inputs in a folder: one folder a target, one file an input, named by its hash.</summary>
public static class Corpus
{
    public static IReadOnlyList<byte[]> Read(string folder, string target)
    {
        var path = Path.Combine(folder, target);
        return Directory.Exists(path) ? [.. Directory.EnumerateFiles(path).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)] : [];
    }

    public static void Write(string folder, string target, byte[] input)
    {
        var path = Directory.CreateDirectory(Path.Combine(folder, target)).FullName;
        File.WriteAllBytes(Path.Combine(path, Convert.ToHexStringLower(SHA256.HashData(input).AsSpan(0, 6))), input);
    }
}
