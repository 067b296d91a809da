namespace Portcullis.Matching;

/// <summary>How much of a path is normalised (Istio's <c>pathNormalization.normalization</c>); each takes in the one before.</summary>
public enum PathNormalization
{
    /// <summary>The fragment is cut, nothing else.</summary>
    None,

    /// <summary>RFC 3986: <c>\</c> is <c>/</c>, unreserved characters are decoded, dot segments resolved. Istio's default.</summary>
    Base,

    /// <summary>Then runs of slashes become one.</summary>
    MergeSlashes,

    /// <summary><c>%2F</c> and <c>%5C</c> are decoded before all that.</summary>
    DecodeAndMergeSlashes,
}
