using System.Collections.Immutable;
using System.Reflection;

namespace Portcullis.Resources;

/// <summary>Every problem's stable code. PC1xxx: reading and validating; PC2xxx: references and conflicts; PC3xxx: analysis. Each has a section below docs/reference/problems.</summary>
public static partial class ProblemCodes
{
    /// <summary>The text is not YAML or JSON.</summary>
    public const string Syntax = "PC1001";

    /// <summary>A field of this name does not exist at this place.</summary>
    public const string UnknownField = "PC1002";

    /// <summary>The value has another type than the field takes.</summary>
    public const string WrongType = "PC1003";

    /// <summary>A required field is absent.</summary>
    public const string MissingField = "PC1004";

    /// <summary>The value is of the right type but not allowed.</summary>
    public const string InvalidValue = "PC1005";

    /// <summary>The kind or version is not one that the gateway reads; the document is left alone.</summary>
    public const string IgnoredKind = "PC1006";

    /// <summary>The file could not be read.</summary>
    public const string Unreadable = "PC1007";

    /// <summary>A key stands twice in one mapping.</summary>
    public const string DuplicateKey = "PC1008";

    /// <summary>Two documents have the same kind, namespace and name.</summary>
    public const string DuplicateResource = "PC2001";

    /// <summary>A referenced resource does not exist.</summary>
    public const string DanglingReference = "PC2002";

    /// <summary>Two resources claim the same port, host or route; one of them loses.</summary>
    public const string Conflict = "PC2003";

    /// <summary>A key set cannot be used.</summary>
    public const string UnusableKeys = "PC2004";

    /// <summary>A valid feature of the API that this version does not implement; what it does instead is said in the message.</summary>
    public const string Unsupported = "PC2005";

    /// <summary>A sound resource that this gateway has no use for: not selected, not bound or not visible.</summary>
    public const string NotSelected = "PC2006";

    /// <summary>Every code, in order.</summary>
    public static ImmutableArray<string> All { get; } =
    [
        .. typeof(ProblemCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Where(f => f.IsLiteral).Select(f => (string)f.GetRawConstantValue()!).Order(StringComparer.Ordinal),
    ];

    /// <summary>What a code stands for, in one sentence; the code itself when it is not one of these.</summary>
    public static string Describe(string code) => code switch
    {
        Syntax => "The text is not YAML or JSON.",
        UnknownField => "A field of this name does not exist at this place.",
        WrongType => "The value has another type than the field takes.",
        MissingField => "A required field is absent.",
        InvalidValue => "The value is of the right type but not allowed.",
        IgnoredKind => "The kind is not one that the gateway reads.",
        Unreadable => "A file or folder cannot be read.",
        DuplicateKey => "A key stands twice in one mapping.",
        DuplicateResource => "Two documents have the same kind, namespace and name.",
        DanglingReference => "A referenced resource does not exist.",
        Conflict => "Two resources claim the same port, host or name.",
        UnusableKeys => "A key set cannot be used.",
        Unsupported => "A valid feature of the API that this version does not implement.",
        NotSelected => "A sound resource that this gateway has no use for.",
        _ => DescribeAnalysis(code),
    };
}
