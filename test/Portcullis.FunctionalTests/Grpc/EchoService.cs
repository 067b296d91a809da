using Grpc.Core;
using Portcullis.FunctionalTests.Grpc.Wire;

namespace Portcullis.FunctionalTests.Grpc;

/// <summary>Answers each kind of call as a test says; by itself with what it got.</summary>
internal sealed class EchoService : Echo.EchoBase
{
    public Func<Message, ServerCallContext, Task<Message>> OnUnary { get; init; } = (message, _) => Task.FromResult(message);

    public Func<Message, IServerStreamWriter<Message>, ServerCallContext, Task> OnExpand { get; init; } = (message, answer, _) => answer.WriteAsync(message);

    public Func<IAsyncStreamReader<Message>, IServerStreamWriter<Message>, ServerCallContext, Task> OnChat { get; init; } = async (messages, answer, context) =>
    {
        while (await messages.MoveNext(context.CancellationToken))
        {
            await answer.WriteAsync(messages.Current);
        }
    };

    public override Task<Message> Unary(Message request, ServerCallContext context) => OnUnary(request, context);

    public override Task Expand(Message request, IServerStreamWriter<Message> responseStream, ServerCallContext context) => OnExpand(request, responseStream, context);

    public override Task Chat(IAsyncStreamReader<Message> requestStream, IServerStreamWriter<Message> responseStream, ServerCallContext context) =>
        OnChat(requestStream, responseStream, context);

    public override async Task<Message> Collect(IAsyncStreamReader<Message> requestStream, ServerCallContext context)
    {
        var all = new List<string>();
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            all.Add(requestStream.Current.Text);
        }

        return new Message { Text = string.Join(',', all) };
    }
}
