using System.Text;
using Portcullis.Gateway.Forwarding.Http1;

namespace Portcullis.Gateway.Tests.Forwarding.Http1;

/// <summary>What a parser made of a head, as text that can be compared.</summary>
internal static class ResponseHead
{
    public static string Describe(byte[] bytes, params ReadOnlySpan<int> cuts)
    {
        var parser = new Http1ResponseParser();
        parser.Reset();
        var status = ParseStatus.NeedsMore;
        foreach (var cut in cuts)
        {
            if (status == ParseStatus.NeedsMore)
            {
                status = parser.Parse(bytes.AsSpan(0, cut));
            }
        }

        if (status == ParseStatus.NeedsMore)
        {
            status = parser.Parse(bytes);
        }

        return status == ParseStatus.Complete ? Describe(parser, bytes) : status.ToString();
    }

    public static string Describe(string text, params ReadOnlySpan<int> cuts) => Describe(Encoding.Latin1.GetBytes(text), cuts);

    private static string Describe(Http1ResponseParser parser, byte[] bytes)
    {
        var text = new StringBuilder();
        text.Append(parser.Status).Append(" 1.").Append(parser.MinorVersion).Append(' ').Append(Text(bytes, parser.Reason.Start, parser.Reason.Length));
        text.Append('|').Append(parser.Framing(isHead: false)).Append(' ').Append(parser.ContentLength).Append(parser.KeepsAlive(isHead: false) ? " keeps" : " closes");
        foreach (var header in parser.Headers)
        {
            text.Append('|').Append(header.IsOfConnection ? "(" : "").Append(Text(bytes, header.Name, header.NameLength)).Append('=')
                .Append(Text(bytes, header.Value, header.ValueLength)).Append(header.IsOfConnection ? ")" : "");
        }

        return text.Append('|').Append(parser.HeadLength).ToString();
    }

    private static string Text(byte[] bytes, int start, int length) => Encoding.Latin1.GetString(bytes, start, length);
}
