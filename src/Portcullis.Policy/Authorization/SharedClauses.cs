using System.Text;

namespace Portcullis.Policy.Authorization;

/// <summary>
/// Clauses that several rules have alike, made once: policies by the thousand mostly repeat the same methods, groups and addresses, and what is shared stays
/// in the processor's caches.
/// </summary>
internal sealed class SharedClauses
{
    private readonly Dictionary<string, Clause> _clauses = new(StringComparer.Ordinal);

    /// <summary>The clause of these values; <paramref name="compiler"/> makes it when it is the first.</summary>
    /// <param name="compiler">Of the policy that the values are in.</param>
    /// <param name="policyNamespace">The policy's: names of service accounts depend on it.</param>
    /// <param name="attribute">What the clause is about.</param>
    /// <param name="values">Values that passed the compiler's check.</param>
    /// <param name="isNegated">Whether it is a <c>not…</c> field.</param>
    public Clause Get(ClauseCompiler compiler, string policyNamespace, ConditionKey attribute, List<string> values, bool isNegated)
    {
        var key = new StringBuilder().Append((int)attribute.Kind).Append(isNegated ? '!' : '=');
        Append(key, attribute.Kind == AttributeKind.PeerServiceAccount ? policyNamespace : "");
        Append(key, attribute.Header ?? "");
        foreach (var name in attribute.Claim?.Names ?? [])
        {
            Append(key, name);
        }

        key.Append('=');
        foreach (var value in values)
        {
            Append(key, value);
        }

        var text = key.ToString();
        if (!_clauses.TryGetValue(text, out var clause))
        {
            _clauses[text] = clause = compiler.Compile(attribute, values, isNegated);
        }

        return clause;
    }

    /// <summary>With its length, so that no text can pass for two.</summary>
    private static void Append(StringBuilder key, string text) => key.Append(text.Length).Append(':').Append(text);
}
