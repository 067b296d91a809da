namespace Portcullis.Resources.Reading;

/// <summary>What every document has before its own fields.</summary>
internal sealed record ResourceHeader(string ApiVersion, string Kind, ResourceMetadata Metadata, ResourceOrigin Origin);
