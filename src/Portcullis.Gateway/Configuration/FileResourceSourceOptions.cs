using System.Collections.Immutable;

namespace Portcullis.Gateway.Configuration;

/// <summary>What <see cref="FileResourceSource"/> reads, and how patiently.</summary>
public sealed record FileResourceSourceOptions
{
    /// <summary>Files, and folders whose <c>*.yaml</c>, <c>*.yml</c> and <c>*.json</c> files are read at any depth, in ordinal order of their paths.</summary>
    public required ImmutableArray<string> Paths { get; init; }

    /// <summary>Files below <see cref="Paths"/> that hold something else and are not read.</summary>
    public ImmutableArray<string> Except { get; init; } = [];

    /// <summary>File with the mesh configuration; <see langword="null"/> is Istio's defaults.</summary>
    public string? MeshConfigPath { get; init; }

    /// <summary>How long a folder must be given to finish a change before it is read; 50 ms.</summary>
    public TimeSpan Debounce { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How often files are looked at without a notification (network file systems send none); 10 s.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(10);
}
