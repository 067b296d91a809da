namespace Portcullis.FunctionalTests.Authorization;

/// <summary>The modes that the worked examples speak of.</summary>
internal static class Modes
{
    /// <summary>The mesh keys with which the gateway answers exactly as Istio.</summary>
    public const string Exact = """
        authorizationDenied: Forbidden
        principalWithoutSub: Reject
        denyPathReadings: Exact

        """;
}
