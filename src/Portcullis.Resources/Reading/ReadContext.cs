namespace Portcullis.Resources.Reading;

/// <summary>What the readers of one document share: its source, its identity and the problems found so far.</summary>
internal sealed class ReadContext(string source)
{
    private readonly Stack<List<string>> _nameLists = new();
    private int _documentStart;

    public string Source { get; } = source;

    public List<Problem> Problems { get; } = [];

    /// <summary>The resource being read, once its metadata is known.</summary>
    public ResourceId? Resource { get; set; }

    /// <summary>A list or mapping written as null is an error: in a policy, "no constraint" must be said, not left over.</summary>
    public bool RefusesNull { get; set; }

    /// <summary>snake_case field names are taken too: Istio's kinds are proto JSON, Kubernetes' own are not.</summary>
    public bool AcceptsSnakeCase { get; set; }

    /// <summary>Errors found in the current document.</summary>
    public int Errors { get; private set; }

    /// <summary>Names the resource, also in what was found before its name was read.</summary>
    public void Name(ResourceId resource)
    {
        Resource = resource;
        for (var i = _documentStart; i < Problems.Count; i++)
        {
            Problems[i] = Problems[i] with { Resource = resource };
        }
    }

    /// <summary>Puts the problems from an index on into the order of the text.</summary>
    public void SortFrom(int first)
    {
        if (Problems.Count - first < 2)
        {
            return;
        }

        var sorted = Problems.Skip(first).OrderBy(p => p.Position?.Line ?? 0).ThenBy(p => p.Position?.Column ?? 0).ToList();
        Problems.RemoveRange(first, Problems.Count - first);
        Problems.AddRange(sorted);
    }

    public void BeginDocument()
    {
        (Resource, RefusesNull, AcceptsSnakeCase, Errors) = (null, false, false, 0);
        _documentStart = Problems.Count;
    }

    public void Add(ProblemSeverity severity, string code, SourcePosition? position, string? fieldPath, string message, string? remedy, SuggestedFix? fix = null)
    {
        Errors += severity is ProblemSeverity.Error ? 1 : 0;
        Problems.Add(new Problem
        {
            Code = code,
            Severity = severity,
            Message = message,
            Remedy = remedy,
            Resource = Resource,
            FieldPath = fieldPath,
            Source = Source,
            Position = position,
            Fix = fix,
        });
    }

    /// <summary>Lists for the names that an object reader asked for; reused, since every object needs one.</summary>
    public List<string> RentNames() => _nameLists.TryPop(out var list) ? list : new(32);

    public void ReturnNames(List<string> list)
    {
        list.Clear();
        _nameLists.Push(list);
    }
}
