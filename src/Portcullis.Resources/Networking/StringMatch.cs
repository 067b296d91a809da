namespace Portcullis.Resources;

/// <summary>The kind of an Istio StringMatch.</summary>
public enum StringMatchKind
{
    /// <summary><c>{}</c>: the attribute is there.</summary>
    Present,

    /// <summary>The whole value.</summary>
    Exact,

    /// <summary>The beginning of the value.</summary>
    Prefix,

    /// <summary>RE2, against the whole value.</summary>
    Regex,
}

/// <summary>Istio's StringMatch: <c>exact</c>, <c>prefix</c>, <c>regex</c>, or empty for "present".</summary>
/// <param name="Kind">Which of them.</param>
/// <param name="Value">The operand; empty for <see cref="StringMatchKind.Present"/>.</param>
public sealed record StringMatch(StringMatchKind Kind, string Value);
