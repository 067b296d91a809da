namespace Portcullis.Policy.Authentication;

/// <summary>What a plain RequestAuthentication has no field for is an annotation under the gateway's own prefix, which Istio ignores.</summary>
public static class PolicyAnnotations
{
    /// <summary>Prefix of every annotation that the gateway reads as its own.</summary>
    public const string Prefix = "portcullis.io/";

    /// <summary><c>"true"</c>: a verified token cookie is taken out of the forwarded request like a header or parameter. Default: it stays, as at Istio.</summary>
    public const string RemoveTokenCookie = Prefix + "remove-token-cookie";
}
