using Portcullis.Gateway.Explanation;
using Portcullis.Policy.Explanation;

namespace Portcullis.Gateway.Decisions;

/// <summary>What <c>explain</c> says about a request, and the decision that a gateway made about it when it came.</summary>
/// <param name="StatusCode">As in <see cref="ExplainedRequest"/>.</param>
/// <param name="Decision">As in <see cref="ExplainedRequest"/>.</param>
/// <param name="Route">As in <see cref="ExplainedRequest"/>.</param>
/// <param name="Recorded">What was decided, and how the answer was in the end.</param>
/// <param name="ExplainedBy">Generation of the configuration that explains.</param>
/// <param name="Note">Why the explanation may differ from what was decided; <see langword="null"/> when it does not.</param>
public sealed record LiveExplanation(
    int StatusCode, DecisionExplanation Decision, RouteExplanation? Route, DecisionSummary Recorded, long ExplainedBy, string? Note);
