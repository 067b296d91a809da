using System.Text;
using Microsoft.Extensions.Logging;
using Portcullis.Gateway.Pipeline;
using Portcullis.Gateway.Telemetry.AccessLogs;
using Portcullis.Resources;

namespace Portcullis.Gateway.Tests.Telemetry;

public sealed class AccessLogWriterTests
{
    private static readonly AccessLogFormat Format = AccessLogFormat.Compile(AccessLogEncoding.Text, "%REQ(:AUTHORITY)%\n");

    [Fact]
    public async Task Write_OfManyLines_WritesAllOfThemInOrder()
    {
        using var destination = new MemoryStream();
        await using (var writer = new AccessLogWriter(Format, () => destination, TimeProvider.System, new Lines()))
        {
            for (var i = 0; i < 1000; i++)
            {
                writer.Write(Request($"host-{i}"));
            }
        }

        Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"host-{i}"), Encoding.UTF8.GetString(destination.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Write_ToAFullDisk_LosesLinesSaysSoAndRecovers()
    {
        using var good = new MemoryStream();
        var log = new Lines();
        var full = true;
        await using (var writer = new AccessLogWriter(Format, () => full ? new FullDisk() : good, TimeProvider.System, log))
        {
            writer.Write(Request("lost"));
            await log.First.Task.WaitAsync(TestContext.Current.CancellationToken);
            full = false;
            writer.Write(Request("kept"));
        }

        Assert.Contains("No space left", await log.First.Task, StringComparison.Ordinal);
        Assert.Equal("kept\n", Encoding.UTF8.GetString(good.ToArray()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Write_AfterTheFileWasMovedOrMadeAnew_GoesToTheFileOfThatName(bool isMadeAnew)
    {
        var folder = Directory.CreateTempSubdirectory();
        var path = Path.Combine(folder.FullName, "access.log");
        var moved = path + ".1";
        await using (var writer = new AccessLogWriter(Format, AccessLogWriter.Destination(path), TimeProvider.System, new Lines()) { File = path })
        {
            writer.Write(Request("before"));
            SpinWait.SpinUntil(() => File.Exists(path) && new FileInfo(path).Length == "before\n".Length, TimeSpan.FromSeconds(30));
            File.Move(path, moved);
            if (isMadeAnew)
            {
                await File.WriteAllTextAsync(path, "", TestContext.Current.CancellationToken);
            }

            writer.Write(Request("after"));
        }

        Assert.Equal("before\n", await File.ReadAllTextAsync(moved, TestContext.Current.CancellationToken));
        Assert.Equal("after\n", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Reopen_OfACopiedAndMovedFile_GoesToTheFileOfThatNameBeforeTheNextLine()
    {
        var folder = Directory.CreateTempSubdirectory();
        var path = Path.Combine(folder.FullName, "access.log");
        await using (var writer = new AccessLogWriter(Format, AccessLogWriter.Destination(path), TimeProvider.System, new Lines()) { File = path })
        {
            writer.Write(Request("before"));
            SpinWait.SpinUntil(() => File.Exists(path) && new FileInfo(path).Length == "before\n".Length, TimeSpan.FromSeconds(30));
            File.Move(path, path + ".1");

            writer.Reopen();

            Assert.True(SpinWait.SpinUntil(() => File.Exists(path), TimeSpan.FromSeconds(30)), "the file is not there before a line");
            writer.Write(Request("after"));
        }

        Assert.Equal("before\n", await File.ReadAllTextAsync(path + ".1", TestContext.Current.CancellationToken));
        Assert.Equal("after\n", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Retire_OfAWriter_WritesWhatRequestsInFlightSayAndKeepsNothingOpen()
    {
        var opened = new List<Recorded>();
        await using var writer = new AccessLogWriter(Format, () => Add(new Recorded()), TimeProvider.System, new Lines());
        writer.Write(Request("before"));
        writer.Retire();
        Assert.True(SpinWait.SpinUntil(() => opened is [{ IsClosed: true }], TimeSpan.FromSeconds(30)), "still open");

        writer.Write(Request("in flight"));

        Assert.True(SpinWait.SpinUntil(() => opened is [_, { IsClosed: true }], TimeSpan.FromSeconds(30)), "still open");
        Assert.Equal(["before\n", "in flight\n"], opened.Select(o => Encoding.UTF8.GetString(o.ToArray())));

        Recorded Add(Recorded stream)
        {
            opened.Add(stream);
            return stream;
        }
    }

    [Fact]
    public async Task For_AnotherConfiguration_ChangesNothingBeforeItIsCommitted()
    {
        await using var logs = new AccessLogs(TimeProvider.System, new Lines());
        var live = logs.For(new MeshConfig { AccessLogFile = "/dev/null" }, []);
        logs.Commit(live);

        var problems = new List<Problem>();
        var refused = logs.For(new MeshConfig { AccessLogFile = "/dev/null", AccessLogFormat = "%NONE%" }, problems);

        Assert.NotSame(live, refused);
        Assert.Equal("accessLogFormat", Assert.Single(problems).FieldPath);
        Assert.Same(live, logs.For(new MeshConfig { AccessLogFile = "/dev/null" }, problems));
        Assert.Single(problems);
        Assert.Null(logs.For(new MeshConfig(), problems));
    }

    [Fact]
    public async Task Commit_OfManyFormats_ForgetsTheWritersThatNoRequestHolds()
    {
        await using var logs = new AccessLogs(TimeProvider.System, new Lines());
        var writers = Commit(logs, 20);

        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                GC.Collect();
                return writers.Count(w => w.IsAlive) <= 1;
            },
            TimeSpan.FromSeconds(30)));
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static List<WeakReference> Commit(AccessLogs logs, int count) =>
    [
        .. Enumerable.Range(0, count).Select(i =>
        {
            var writer = logs.For(new MeshConfig { AccessLogFile = "/dev/null", AccessLogFormat = $"{i}\n" }, []);
            logs.Commit(writer);
            writer!.Write(Request("host"));
            return new WeakReference(writer);
        }),
    ];

    private static GatewayContext Request(string authority) => new() { Authority = authority };

    private sealed class Recorded : MemoryStream
    {
        public bool IsClosed { get; private set; }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            IsClosed = true;
        }
    }

    private sealed class FullDisk : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.FromException(new IOException("No space left on device"));
    }

    private sealed class Lines : ILogger
    {
        public TaskCompletionSource<string> First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            First.TrySetResult(formatter(state, exception));
    }
}
