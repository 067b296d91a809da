using Portcullis.Resources.Reading;
using Portcullis.Resources.Reading.PolicyTests;

namespace Portcullis.Resources.PolicyTests;

/// <summary>Reads files of policy tests, with the same reports of what is wrong as for resources.</summary>
public static class PolicyTestFile
{
    /// <summary>Longest text that is read, in characters.</summary>
    private const int MaxLength = 4 * 1024 * 1024;

    /// <summary>Reads a text. Never throws.</summary>
    /// <param name="source">Name for reports, usually the path; one that ends in <c>.json</c> is read as JSON.</param>
    /// <param name="text">One document.</param>
    public static PolicyTestReadResult Read(string source, string text)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(text);
        var context = new ReadContext(source);
        var suite = text.Length > MaxLength
            ? Refuse(context, ProblemCodes.Unreadable, null, $"the text is longer than {MaxLength} characters", "split it into several files")
            : Read(context, new SourceText(source, text));
        context.SortFrom(0);
        return new(context.Problems.Exists(p => p.Severity == ProblemSeverity.Error) ? null : suite, [.. context.Problems]);
    }

    private static PolicyTestSuite? Read(ReadContext context, SourceText text)
    {
        var documents = text.Split().SelectMany(slice => TreeParser.Parse(text, slice, context)).Where(tree => !tree.IsNull).ToList();
        return documents switch
        {
            _ when context.Errors > 0 => null,
            [MappingNode mapping] when mapping.Find("apiVersion") is not null && mapping.Find("tests") is null =>
                Refuse(context, ProblemCodes.WrongType, mapping.Position, "this is a resource, not a file of policy tests", "give resources with -f"),
            [MappingNode mapping] => new PolicyTestReader(context, text.Name).Read(mapping),
            [] => Refuse(context, ProblemCodes.MissingField, new SourcePosition(1, 1), "there are no tests", "add `tests`, a list of requests with what has to become of them"),
            [var other] => Refuse(context, ProblemCodes.WrongType, other.Position, "a file of policy tests is a mapping", "begin with `tests:`"),
            [_, var second, ..] => Refuse(context, ProblemCodes.InvalidValue, second.Position, "a file of policy tests is one document", "put the others into files of their own"),
        };
    }

    private static PolicyTestSuite? Refuse(ReadContext context, string code, SourcePosition? position, string message, string remedy)
    {
        context.Add(ProblemSeverity.Error, code, position, null, message, remedy);
        return null;
    }
}
