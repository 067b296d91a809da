using System.Text;
using FsCheck.Xunit;
using Portcullis.Gateway.Forwarding.Http1;

namespace Portcullis.Gateway.Tests.Forwarding.Http1;

public sealed class ChunkedDecoderTests
{
    [Theory]
    [InlineData("0\r\n\r\n", "Complete||")]
    [InlineData("5\r\nhello\r\n0\r\n\r\n", "Complete|hello|")]
    [InlineData("5\r\nhello\r\n00a\r\n, world!!!\r\n000\r\n\r\n", "Complete|hello, world!!!|")]
    [InlineData("A;x=\"y\"\r\n0123456789\r\n0;z\r\n\r\n", "Complete|0123456789|")]
    [InlineData("2  \r\nab\r\n0\r\n\r\n", "Complete|ab|")] // padded as some backends do
    [InlineData("1\r\n\n\r\n0\r\nX-Sum: 1 \r\nY:\r\n\r\n", "Complete|\n|X-Sum: 1 \nY:\n")]
    [InlineData("0\r\n\r\nHTTP/1.1 200 OK", "Complete||+15")]
    [InlineData("5\r\nhel", "NeedsMore|hel|")]
    [InlineData("", "NeedsMore||")]
    [InlineData("\r\n", "Invalid||")]
    [InlineData("5\nhello\r\n0\r\n\r\n", "Invalid||")]
    [InlineData("5\r\nhello\n0\r\n\r\n", "Invalid|hello|")]
    [InlineData("5\r\nhelloX\r\n", "Invalid|hello|")]
    [InlineData("5\r\nhell\r\n0\r\n\r\n", "Invalid|hell\r|")]
    [InlineData("0x5\r\nhello\r\n", "Invalid||")]
    [InlineData("+5\r\nhello\r\n", "Invalid||")]
    [InlineData("-5\r\nhello\r\n", "Invalid||")]
    [InlineData(" 5\r\nhello\r\n", "Invalid||")]
    [InlineData("g\r\n", "Invalid||")]
    [InlineData("5;a\nb\r\n", "Invalid||")]
    [InlineData("5;a\rb\r\n", "Invalid||")]
    [InlineData("5;\0\r\n", "Invalid||")]
    [InlineData("0\r\n\n", "Invalid||")]
    [InlineData("0\r\nX: y\n\r\n", "Invalid||")]
    [InlineData("0\r\nX : y\r\n\r\n", "Invalid||")]
    [InlineData("0\r\nX: y\r\n z\r\n\r\n", "Invalid||")]
    [InlineData("0\r\nno colon\r\n\r\n", "Invalid||")]
    [InlineData("fffffffffffffffff\r\n", "TooLarge||")]
    [InlineData("0000000000000000\r\n", "TooLarge||")]
    public void Read_UnderstandsOrRefuses(string text, string expected)
    {
        Assert.Equal(expected, Decode(Encoding.Latin1.GetBytes(text), 0));
        Assert.Equal(expected, Decode(Encoding.Latin1.GetBytes(text), 1));
    }

    [Fact]
    public void Read_ExtensionsAndTrailers_AreBounded()
    {
        var extension = new string('x', ChunkedDecoder.MaxExtensions + 1);
        Assert.Equal("TooLarge||", Decode(Encoding.Latin1.GetBytes($"1;{extension}"), 0));

        var trailer = new string('x', ChunkedDecoder.MaxTrailers + 1);
        Assert.Equal("TooLarge||", Decode(Encoding.Latin1.GetBytes($"0\r\nA: {trailer}"), 0));

        var lines = string.Concat(Enumerable.Repeat("A: b\r\n", ChunkedDecoder.MaxTrailerLines + 1));
        Assert.Equal("TooLarge||", Decode(Encoding.Latin1.GetBytes($"0\r\n{lines}\r\n"), 0));

        var drip = string.Concat(Enumerable.Repeat("1;xxx\r\na\r\n", (ChunkedDecoder.MaxExtensions / 3) + 1));
        Assert.StartsWith("TooLarge|", Decode(Encoding.Latin1.GetBytes(drip), 0), StringComparison.Ordinal);
    }

    [Property(MaxTest = 300)]
    public void Read_WhatAnEncoderWrote_InAnyPieces_GivesTheBody(byte[][] chunks, byte piece)
    {
        using var encoded = new MemoryStream();
        foreach (var chunk in chunks.Where(c => c.Length > 0))
        {
            encoded.Write(Encoding.ASCII.GetBytes($"{chunk.Length:x}\r\n"));
            encoded.Write(chunk);
            encoded.Write("\r\n"u8);
        }

        encoded.Write("0\r\nA: b\r\n\r\n"u8);
        var body = Encoding.Latin1.GetString([.. chunks.SelectMany(c => c)]);

        Assert.Equal($"Complete|{body}|A: b\n", Decode(encoded.ToArray(), piece));
    }

    [Property(MaxTest = 300)]
    public void Read_AnyBytesInAnyPieces_GiveTheSame(byte[] noise, byte at, byte piece)
    {
        var good = "5\r\nhello\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n"u8.ToArray();
        byte[] bytes = [.. good.AsSpan(0, at % good.Length), .. noise, .. good.AsSpan(at % good.Length)];

        Assert.Equal(Decode(bytes, 0), Decode(bytes, piece));
    }

    /// <summary>Status, body, and trailers or what is left.</summary>
    private static string Decode(byte[] bytes, int piece)
    {
        var decoder = new ChunkedDecoder();
        decoder.Reset();
        var body = new StringBuilder();
        var status = ParseStatus.NeedsMore;
        var start = 0;
        var end = piece == 0 ? bytes.Length : 0;
        while (status == ParseStatus.NeedsMore)
        {
            status = decoder.Read(bytes.AsSpan(start, end - start), out var consumed, out var data);
            body.Append(Encoding.Latin1.GetString(data));
            start += consumed;
            if (status == ParseStatus.NeedsMore && start == end && data.IsEmpty)
            {
                if (end == bytes.Length)
                {
                    break;
                }

                end = Math.Min(bytes.Length, end + piece);
            }
        }

        var trailers = status == ParseStatus.Complete ? Encoding.Latin1.GetString(decoder.Trailers) : "";
        decoder.Reset();
        return $"{status}|{body}|{trailers}{(status == ParseStatus.Complete && start < bytes.Length ? $"+{bytes.Length - start}" : "")}";
    }
}
