namespace Portcullis.Resources;

/// <summary>A change of the text at a problem's position that is safe to make without asking (<c>check --fix</c>).</summary>
/// <param name="OldText">The key or value that stands there, quotes and escapes resolved: where it does not, nothing is changed.</param>
/// <param name="NewText">What replaces it, in the same quotes; <see langword="null"/> removes the item of a list.</param>
/// <param name="IsQuoted">The new text is put into double quotes.</param>
public sealed record SuggestedFix(string OldText, string? NewText, bool IsQuoted = false);
