namespace Portcullis.Gateway.Forwarding.Http1;

/// <summary>Where a header line of a response is in the buffer that it was parsed from; offsets are from the start of the head.</summary>
/// <param name="Name">Offset of the name.</param>
/// <param name="NameLength">Its length.</param>
/// <param name="Value">Offset of the value, spaces trimmed.</param>
/// <param name="ValueLength">Its length.</param>
/// <param name="IsOfConnection">Belongs to the connection or to the framing: never passed on.</param>
internal readonly record struct HeaderSlice(int Name, int NameLength, int Value, int ValueLength, bool IsOfConnection);
