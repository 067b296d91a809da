namespace Portcullis.Gateway.Forwarding.Http1;

/// <summary>Where the body of a response ends (RFC 9112 §6.3).</summary>
internal enum BodyFraming
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>After as many bytes as the <c>Content-Length</c> says.</summary>
    Length,

    /// <summary>After the last chunk and its trailers.</summary>
    Chunked,

    /// <summary>With the connection.</summary>
    UntilClose,
}

/// <summary>What a parser has to say of the bytes that it was given.</summary>
internal enum ParseStatus
{
    /// <summary>All good so far, and not at an end.</summary>
    NeedsMore,

    /// <summary>At the end.</summary>
    Complete,

    /// <summary>Not HTTP/1.1, or ambiguous.</summary>
    Invalid,

    /// <summary>Longer than is allowed.</summary>
    TooLarge,
}
