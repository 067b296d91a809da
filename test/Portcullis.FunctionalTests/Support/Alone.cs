namespace Portcullis.FunctionalTests.Support;

/// <summary>Tests that read counters, which all gateways of a process share: they run when no other test does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
