using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>A line that was changed.</summary>
/// <param name="Number">In the old text, from 1.</param>
/// <param name="Old">Without line end.</param>
/// <param name="New"><see langword="null"/>: the line is gone.</param>
public sealed record FixedLine(int Number, string Old, string? New);

/// <summary>A text with fixes made.</summary>
/// <param name="Text">All of it.</param>
/// <param name="Lines">What differs, in order.</param>
/// <param name="Fixed">The problems that are mended.</param>
public sealed record FixedText(string Text, ImmutableArray<FixedLine> Lines, ImmutableArray<Problem> Fixed);
