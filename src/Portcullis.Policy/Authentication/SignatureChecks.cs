namespace Portcullis.Policy.Authentication;

/// <summary>What to do about a signature that nothing is remembered of.</summary>
public enum SignatureChecks
{
    /// <summary>Verify it.</summary>
    Verify,

    /// <summary>Leave it: the result is <see cref="AuthenticationResult.IsPostponed"/>, and the request is to be authenticated again where verifying is in place.</summary>
    RememberedOnly,
}
