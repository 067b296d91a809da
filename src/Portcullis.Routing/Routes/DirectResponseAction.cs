namespace Portcullis.Routing;

/// <summary>Answers without a backend (<c>directResponse</c>; routing.md §2.8); log details <c>direct_response</c>.</summary>
/// <param name="Status">200–599.</param>
/// <param name="Body">
/// Empty for none. With a body, <c>content-type</c> is <c>text/plain</c> before the route's response operations run.
/// </param>
public sealed record DirectResponseAction(int Status, ReadOnlyMemory<byte> Body);
