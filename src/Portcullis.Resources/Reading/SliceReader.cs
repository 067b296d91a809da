namespace Portcullis.Resources.Reading;

/// <summary>Reads a part of a string without copying it first.</summary>
internal sealed class SliceReader(string text, int start, int length) : TextReader
{
    private readonly int _end = start + length;
    private int _at = start;

    public override int Peek() => _at < _end ? text[_at] : -1;

    public override int Read() => _at < _end ? text[_at++] : -1;

    public override int Read(char[] buffer, int index, int count) => Read(buffer.AsSpan(index, count));

    public override int Read(Span<char> buffer)
    {
        var taken = Math.Min(buffer.Length, _end - _at);
        text.AsSpan(_at, taken).CopyTo(buffer);
        _at += taken;
        return taken;
    }
}
