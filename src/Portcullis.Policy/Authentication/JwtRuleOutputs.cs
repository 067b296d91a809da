using System.Buffers;
using System.Collections.Frozen;
using Portcullis.Resources;

namespace Portcullis.Policy.Authentication;

/// <summary>The headers that a rule writes.</summary>
internal sealed class JwtRuleOutputs
{
    private static readonly SearchValues<char> HeaderNameCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>What frames or routes a request is not a token's to say.</summary>
    private static readonly FrozenSet<string> Framing = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade");

    private JwtRuleOutputs(string? payloadHeader, ClaimHeader[] claimHeaders)
    {
        PayloadHeader = payloadHeader;
        ClaimHeaders = claimHeaders;
        Headers = [.. payloadHeader is null ? [] : new[] { payloadHeader }, .. claimHeaders.Select(h => h.Header)];
    }

    public string? PayloadHeader { get; }

    public ClaimHeader[] ClaimHeaders { get; }

    /// <summary>All names, repeated ones too.</summary>
    public string[] Headers { get; }

    public static JwtRuleOutputs Compile(JwtRuleSource source, bool exact, ICollection<Problem> problems)
    {
        var rule = source.Rule;
        var payloadHeader = string.IsNullOrEmpty(rule.OutputPayloadToHeader)
            || !IsUsable(rule.OutputPayloadToHeader, $"{source.FieldPath}.outputPayloadToHeader", source, problems)
                ? null
                : rule.OutputPayloadToHeader;

        var claimHeaders = new List<ClaimHeader>();
        for (var i = 0; i < rule.OutputClaimToHeaders.Length; i++)
        {
            var (header, claim) = rule.OutputClaimToHeaders[i];
            if (IsUsable(header, $"{source.FieldPath}.outputClaimToHeaders[{i}].header", source, problems))
            {
                claimHeaders.Add(ClaimHeader.Compile(header, claim, exact));
            }
        }

        return new(payloadHeader, [.. claimHeaders]);
    }

    private static bool IsUsable(string header, string fieldPath, JwtRuleSource source, ICollection<Problem> problems)
    {
        var message = header.Length == 0 || header.AsSpan().ContainsAnyExcept(HeaderNameCharacters)
            ? $"header name {header} is not a valid header name"
            : Framing.Contains(header) ? $"header `{header}` says how the request is framed or where it goes, and cannot be written from a token" : null;
        if (message is not null)
        {
            problems.Add(Problem.At(
                source.Policy, fieldPath, ProblemSeverity.Error, ProblemCodes.InvalidValue, message, "name another header; this one is not written"));
        }

        return message is null;
    }
}
