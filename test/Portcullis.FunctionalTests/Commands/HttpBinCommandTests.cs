using System.Net;
using System.Net.Sockets;
using Portcullis.Commands;

namespace Portcullis.FunctionalTests.Commands;

public sealed class HttpBinCommandTests
{
    [Fact]
    public async Task Run_UntilStopped_ServesOnThePrintedAddressAndEndsWithZero()
    {
        using var stop = new CancellationTokenSource();
        await using var output = new FirstLine();
        var run = HttpBinCommand.RunAsync(new IPEndPoint(IPAddress.Loopback, 0), output, TextWriter.Null, stop.Token);
        var address = new Uri(await output.Written.Task.WaitAsync(TestContext.Current.CancellationToken));

        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, "/status/204"));
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        await stop.CancelAsync();

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal(0, await run);
    }

    [Fact]
    public async Task Run_OnATakenPort_SaysSoAndEndsWithOne()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        using var error = new StringWriter();

        var code = await HttpBinCommand.RunAsync((IPEndPoint)taken.LocalEndpoint, TextWriter.Null, error, TestContext.Current.CancellationToken);

        Assert.Equal(1, code);
        Assert.StartsWith($"httpbin: cannot listen on {taken.LocalEndpoint}: ", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("--port", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--port=65536")]
    [InlineData("--port=-1")]
    [InlineData("--host=example.test")]
    public void Parse_OfAnImpossibleAddress_NamesTheOption(string argument)
    {
        var errors = HttpBinCommand.Create().Parse(argument).Errors;

        Assert.Contains(errors, e => e.Message.StartsWith(argument[..6], StringComparison.Ordinal));
    }

    /// <summary>Completes with the first line written to it.</summary>
    private sealed class FirstLine : StringWriter
    {
        public TaskCompletionSource<string> Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override Task WriteLineAsync(string? value)
        {
            Written.TrySetResult(value ?? "");
            return Task.CompletedTask;
        }
    }
}
