namespace Portcullis.Resources;

public static partial class ProblemCodes
{
    /// <summary>Tokens are verified, but nothing requires one.</summary>
    public const string TokenNotRequired = "PC3001";

    /// <summary>A policy asks for an issuer that no RequestAuthentication verifies.</summary>
    public const string UnknownIssuer = "PC3002";

    /// <summary>Two issuers differ only by a trailing slash or by case.</summary>
    public const string NearIssuer = "PC3003";

    /// <summary>A request principal is not written as <c>issuer/subject</c>.</summary>
    public const string PrincipalFormat = "PC3004";

    /// <summary>A request principal is cut at its last slash, and so never matches.</summary>
    public const string PrincipalSlash = "PC3005";

    /// <summary>Health paths need a token.</summary>
    public const string HealthProtected = "PC3006";

    /// <summary>A rule can never match: its lists contradict each other.</summary>
    public const string NeverMatches = "PC3010";

    /// <summary>A rule asks for a client certificate on a gateway that never does.</summary>
    public const string NoPeerIdentity = "PC3011";

    /// <summary>A star that is taken literally.</summary>
    public const string LiteralStar = "PC3012";

    /// <summary>A method in lower case.</summary>
    public const string MethodCase = "PC3013";

    /// <summary>A path that no normalised request has.</summary>
    public const string UnreachablePath = "PC3020";

    /// <summary>A path rule that more slashes get around.</summary>
    public const string SlashBypass = "PC3021";

    /// <summary>A wildcard that opens more than it reads.</summary>
    public const string WideWildcard = "PC3022";

    /// <summary>One rule was probably split in two by a dash.</summary>
    public const string SplitRule = "PC3030";

    /// <summary>A rule that another rule of the same action makes superfluous.</summary>
    public const string Shadowed = "PC3031";

    /// <summary>An ALLOW rule without effect, because a DENY rule has all its requests.</summary>
    public const string DenyWins = "PC3032";

    /// <summary>An ALLOW policy without rules denies everything.</summary>
    public const string AllowsNothing = "PC3033";

    /// <summary>HTTP attributes on a port that is not HTTP.</summary>
    public const string HttpFieldOnTcp = "PC3040";

    /// <summary>A DENY rule about HTTP that also closes the TCP ports.</summary>
    public const string DenyClosesTcp = "PC3041";

    /// <summary>A port that the gateway does not listen on.</summary>
    public const string PortNotServed = "PC3050";

    /// <summary>A host that no Gateway serves.</summary>
    public const string HostNotServed = "PC3051";

    /// <summary>A host without its form with a port.</summary>
    public const string HostWithoutPort = "PC3052";

    /// <summary>A host with a port that clients do not send.</summary>
    public const string HostPortNeverSent = "PC3053";

    /// <summary>A value that looks like a number or boolean, which claims are never compared with.</summary>
    public const string ClaimType = "PC3060";

    /// <summary>A value with a space for a claim that is split at spaces.</summary>
    public const string ClaimWithSpace = "PC3061";

    /// <summary>An exclusion that requests without the attribute pass.</summary>
    public const string AbsentPasses = "PC3062";

    /// <summary>Keys stand in the policy itself and cannot rotate.</summary>
    public const string InlineKeys = "PC3070";

    /// <summary>The example key of a guide, whose private half nobody has.</summary>
    public const string ExampleKey = "PC3071";

    /// <summary>A key that is too weak, or shared.</summary>
    public const string WeakKey = "PC3072";

    /// <summary>A private key stands in a policy.</summary>
    public const string PrivateKey = "PC3073";

    /// <summary>Keys of one set cannot be told apart.</summary>
    public const string KeyIds = "PC3074";

    /// <summary>A value stands twice in a list.</summary>
    public const string DuplicateValue = "PC3080";

    private static string DescribeAnalysis(string code) => code switch
    {
        TokenNotRequired => "Tokens are verified, but nothing requires one.",
        UnknownIssuer => "A policy asks for an issuer that no RequestAuthentication verifies.",
        NearIssuer => "Two issuers differ only by a trailing slash or by case.",
        PrincipalFormat => "A request principal is not written as issuer/subject.",
        PrincipalSlash => "A request principal is cut at its last slash, and so never matches.",
        HealthProtected => "Health paths need a token.",
        NeverMatches => "A rule can never match: its lists contradict each other.",
        NoPeerIdentity => "A rule asks for a client certificate on a gateway that never does.",
        LiteralStar => "A star that is taken literally.",
        MethodCase => "A method in lower case.",
        UnreachablePath => "A path that no normalised request has.",
        SlashBypass => "A path rule that more slashes get around.",
        WideWildcard => "A wildcard that opens more than it reads.",
        SplitRule => "One rule was probably split in two by a dash.",
        Shadowed => "A rule that another rule of the same action makes superfluous.",
        DenyWins => "An ALLOW rule without effect, because a DENY rule has all its requests.",
        AllowsNothing => "An ALLOW policy without rules denies everything.",
        HttpFieldOnTcp => "HTTP attributes on a port that is not HTTP.",
        DenyClosesTcp => "A DENY rule about HTTP that also closes the TCP ports.",
        PortNotServed => "A port that the gateway does not listen on.",
        HostNotServed => "A host that no Gateway serves.",
        HostWithoutPort => "A host without its form with a port.",
        HostPortNeverSent => "A host with a port that clients do not send.",
        ClaimType => "A value that looks like a number or boolean, which claims are never compared with.",
        ClaimWithSpace => "A value with a space for a claim that is split at spaces.",
        AbsentPasses => "An exclusion that requests without the attribute pass.",
        InlineKeys => "Keys stand in the policy itself and cannot rotate.",
        ExampleKey => "The example key of a guide, whose private half nobody has.",
        WeakKey => "A key that is too weak, or shared.",
        PrivateKey => "A private key stands in a policy.",
        KeyIds => "Keys of one set cannot be told apart.",
        DuplicateValue => "A value stands twice in a list.",
        _ => code,
    };
}
