using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>Hands findings on, each once: one rule may be compiled for several ports.</summary>
internal sealed class ProblemReporter(ICollection<Problem> sink)
{
    private readonly HashSet<Problem> _seen = [];

    public void Error(Resource resource, string fieldPath, string code, string message, string? remedy = null) =>
        Add(Problem.At(resource, fieldPath, ProblemSeverity.Error, code, message, remedy));

    public void Warning(Resource resource, string fieldPath, string code, string message, string? remedy = null) =>
        Add(Problem.At(resource, fieldPath, ProblemSeverity.Warning, code, message, remedy));

    private void Add(Problem problem)
    {
        if (_seen.Add(problem))
        {
            sink.Add(problem);
        }
    }
}
