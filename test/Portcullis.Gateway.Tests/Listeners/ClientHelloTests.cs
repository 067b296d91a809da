using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Portcullis.Fuzz;
using Portcullis.Gateway.Listeners.Tls;

namespace Portcullis.Gateway.Tests.Listeners;

public sealed class ClientHelloTests
{
    private static readonly string[] Names = ["a.example.com", "A.Example.COM", "x", new string('n', 255)];

    [Fact]
    public async Task Parse_OfWhatAClientReallySends_GivesNameAndProtocols()
    {
        using var sent = new Recorder();
        await using var client = new SslStream(sent);
        await Assert.ThrowsAnyAsync<IOException>(() => client.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "A.example.com", ApplicationProtocols = [SslApplicationProtocol.Http2] }, TestContext.Current.CancellationToken));

        Assert.Equal(ClientHelloStatus.Complete, Parse(sent.ToArray(), out var hello, out _));
        Assert.Equal(new ClientHello("a.example.com", TakesEcdsa: true, OffersHttp: true), hello);
    }

    [Property(MaxTest = 200)]
    public Property Reader_HoweverRecordsAndReadsAreCut_SaysTheSameAndTakesNothing() => Prop.ForAll(
        Gen.Elements(Names).ToArbitrary(), Gen.Choose(8, 400).ToArbitrary(), ArbMap.Default.ArbFor<byte[]>(), (name, recordLength, cuts) =>
            ReadAsync(ClientHelloTarget.Message(name, recordLength, extras: true), cuts).GetAwaiter().GetResult() == new ClientHello(name.ToLowerInvariant(), true, true));

    [Property(MaxTest = 500)]
    public void Parser_OfSpoiltBytes_NeverThrowsAndNeverChangesItsMind(byte[] noise, int at, int recordLength)
    {
        var bytes = ClientHelloTarget.Message("a.example.com", 8 + (int)((uint)recordLength % 300), extras: true);
        var start = (int)((uint)at % bytes.Length);
        noise.AsSpan(0, Math.Min(noise.Length, bytes.Length - start)).CopyTo(bytes.AsSpan(start));

        new ClientHelloTarget().Run(bytes);
    }

    [Theory]
    [InlineData(1, false)] // one byte a record
    [InlineData(5, true)]
    public void Parser_OfMoreRecordsThanAnyClientMakes_Refuses(int recordLength, bool isRead) => Assert.Equal(
        isRead ? ClientHelloStatus.Complete : ClientHelloStatus.Malformed, Parse(ClientHelloTarget.Message("a.example.com", recordLength, extras: true), out _, out _));

    [Fact]
    public void Parser_OfAMessageThatIsTooLong_Refuses()
    {
        byte[] start = [22, 3, 1, 0x40, 0, 1, 1, 0, 1];
        Assert.Equal(ClientHelloStatus.Incomplete, Parse(start, out _, out var needed));
        Assert.Equal(5 + (16 * 1024), needed);
        Assert.Equal(ClientHelloStatus.Malformed, Parse([.. start, .. new byte[(16 * 1024) - 4]], out _, out _));
    }

    /// <summary>What a gateway and the backend that it passes TLS through to might each read in its own way.</summary>
    [Fact]
    public void Parser_OfTwoNames_Refuses()
    {
        const string One = "a.example.com";
        var once = ClientHelloTarget.Message(One, 16 * 1024, extras: false);
        byte[] extension = once[^(9 + One.Length)..];
        byte[] twice = [.. once[..^(2 + extension.Length)], 0, (byte)(2 * extension.Length), .. extension, .. extension];
        twice[4] += (byte)extension.Length;
        twice[8] += (byte)extension.Length;
        byte[] twoInOne = [.. once, 0, 0, 1, (byte)'b'];
        foreach (var length in (int[])[4, 8, once.Length - extension.Length - 1, once.Length - extension.Length + 3, once.Length - extension.Length + 5])
        {
            twoInOne[length] += 4;
        }

        Assert.Equal(ClientHelloStatus.Complete, Parse(once, out _, out _));
        Assert.Equal(ClientHelloStatus.Malformed, Parse(twice, out _, out _));
        Assert.Equal(ClientHelloStatus.Malformed, Parse(twoInOne, out _, out _));
    }

    private static async Task<ClientHello?> ReadAsync(byte[] bytes, byte[] cuts)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var reading = ClientHelloReader.PeekAsync(pipe.Reader, CancellationToken.None).AsTask();
        var at = 0;
        for (var i = 0; at < bytes.Length; i++)
        {
            var size = cuts.Length == 0 ? bytes.Length : Math.Min(bytes.Length - at, 1 + (cuts[i % cuts.Length] % 40));
            await pipe.Writer.WriteAsync(bytes.AsMemory(at, size));
            at += size;
        }

        await pipe.Writer.CompleteAsync();
        var hello = await reading;
        var rest = await pipe.Reader.ReadAtLeastAsync(int.MaxValue);
        Assert.True(rest.Buffer.ToArray().AsSpan().SequenceEqual(bytes));
        return hello;
    }

    private static ClientHelloStatus Parse(byte[] bytes, out ClientHello hello, out int needed) =>
        ClientHelloParser.Parse(new ReadOnlySequence<byte>(bytes), out hello, out needed);

    /// <summary>Takes what is written, and answers with an end.</summary>
    private sealed class Recorder : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(0);
    }
}
