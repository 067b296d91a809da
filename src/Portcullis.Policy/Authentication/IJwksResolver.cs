namespace Portcullis.Policy.Authentication;

/// <summary>
/// Finds the source of the keys that a rule does not carry itself. The gateway fetches; offline tools and tests answer from memory.
/// An inline <c>jwks</c> never gets here.
/// </summary>
public interface IJwksResolver
{
    /// <summary>The source for a location. Called while compiling, never on the request path; does not wait for keys.</summary>
    JwksSource Resolve(JwksLocation location);
}
