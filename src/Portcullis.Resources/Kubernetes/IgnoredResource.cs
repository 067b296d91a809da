namespace Portcullis.Resources;

/// <summary>A document of a kind that the gateway has no use for (Deployment, ServiceAccount, …): accepted with a note.</summary>
public sealed record IgnoredResource : Resource;
