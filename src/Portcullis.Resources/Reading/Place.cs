namespace Portcullis.Resources.Reading;

/// <summary>A field, or an item of its list, that something can be said about.</summary>
internal readonly struct Place(ReadContext context, FieldPath parent, string? name, int index, SourcePosition position)
{
    /// <summary><see langword="null"/> for the document itself.</summary>
    public string? Path
    {
        get
        {
            var path = name is null ? parent.ToString() : parent.Child(name);
            return path.Length == 0 ? null : index < 0 ? path : $"{path}[{index}]";
        }
    }

    public void Error(string message, string? remedy = null, string code = ProblemCodes.InvalidValue, SuggestedFix? fix = null) =>
        context.Add(ProblemSeverity.Error, code, position, Path, message, remedy, fix);

    public void Warning(string message, string? remedy = null, string code = ProblemCodes.InvalidValue) =>
        context.Add(ProblemSeverity.Warning, code, position, Path, message, remedy);

    public void Note(string message, string? remedy = null, string code = ProblemCodes.Unsupported) =>
        context.Add(ProblemSeverity.Note, code, position, Path, message, remedy);
}

/// <summary>Checks one text of a list or map and reports to its place.</summary>
internal delegate void TextCheck(string value, Place place);
