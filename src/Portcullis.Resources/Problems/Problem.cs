namespace Portcullis.Resources;

/// <summary>How much a problem weighs.</summary>
public enum ProblemSeverity
{
    /// <summary>Worth knowing; nothing is wrong.</summary>
    Note,

    /// <summary>Works, but probably not as meant.</summary>
    Warning,

    /// <summary>The resource, or a part of it, is refused.</summary>
    Error,
}

/// <summary>A finding about the configuration, with its place and its remedy.</summary>
public sealed record Problem
{
    /// <summary>Stable identifier such as <c>PC1001</c>; see <see cref="ProblemCodes"/>.</summary>
    public required string Code { get; init; }

    /// <summary>How much it weighs.</summary>
    public required ProblemSeverity Severity { get; init; }

    /// <summary>What is wrong: lower-case start, no final stop, user text in backticks.</summary>
    public required string Message { get; init; }

    /// <summary>What to do about it; <see langword="null"/> only where the message already says it.</summary>
    public string? Remedy { get; init; }

    /// <summary>The resource concerned, when the document got far enough to have one.</summary>
    public ResourceId? Resource { get; init; }

    /// <summary>Field, for example <c>spec.jwtRules[0].issuer</c>.</summary>
    public string? FieldPath { get; init; }

    /// <summary>File or other source.</summary>
    public string? Source { get; init; }

    /// <summary>Line and column in <see cref="Source"/>.</summary>
    public SourcePosition? Position { get; init; }

    /// <summary>The change that mends it, where one is safe to make; <see langword="null"/> where a person has to decide.</summary>
    public SuggestedFix? Fix { get; init; }

    /// <summary>Makes a problem about a field of a resource, located in its source.</summary>
    public static Problem At(Resource resource, string fieldPath, ProblemSeverity severity, string code, string message, string? remedy = null) => new()
    {
        Code = code,
        Severity = severity,
        Message = message,
        Remedy = remedy,
        Resource = resource.Id,
        FieldPath = fieldPath,
        Source = resource.Origin.Source,
        Position = resource.Origin.Locate(fieldPath),
    };

    /// <summary><c>file:line:column: severity CODE: path: message; remedy</c>, as compilers print it.</summary>
    public override string ToString()
    {
        var place = Source is null ? "" : Position is { } p ? $"{Source}:{p.Line}:{p.Column}: " : $"{Source}: ";
        var field = FieldPath is null ? "" : $"{FieldPath}: ";
        var of = Resource is { } r ? $" ({r})" : "";
        var remedy = Remedy is null ? "" : $"; {Remedy}";
        return $"{place}{Severity.ToString().ToLowerInvariant()} {Code}: {field}{Message}{of}{remedy}";
    }
}
