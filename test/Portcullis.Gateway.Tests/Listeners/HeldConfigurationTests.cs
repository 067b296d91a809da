using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Forwarding;
using Portcullis.Gateway.Limits;
using Portcullis.Gateway.Listeners;
using Portcullis.Gateway.Pipeline;
using Portcullis.Gateway.Telemetry.Metrics;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.Tests.Listeners;

/// <summary>A connection may be open for days: it must not keep the configuration that it was opened under, or asked under last.</summary>
public sealed class HeldConfigurationTests
{
    private static readonly ListenerKey Key = new(null, 8080);

    [Fact]
    public async Task AnOpenConnection_KeepsNoConfigurationThatIsGone()
    {
        using var metrics = new ConnectionMetrics();
        var (holder, snapshot) = Publish();
        var tcp = new TcpProxy(metrics, TimeProvider.System, NullLogger.Instance);
        var gate = new ConnectionGate(Key, holder, tcp, metrics, new ListenerConnections(), new GatewayLimits(), TimeProvider.System, NullLogger.Instance);
        var input = new Pipe();
        await using var connection = new DefaultConnectionContext("1", new Duplex(input.Reader, new Pipe().Writer), new Duplex(new Pipe().Reader, input.Writer));
        var served = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        var open = gate.OnConnectionAsync(connection, _ =>
        {
            served.SetResult();
            return end.Task;
        });
        await input.Writer.WriteAsync("GET / HTTP/1.1\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        await served.Task.WaitAsync(TestContext.Current.CancellationToken);
        holder.Publish(GatewaySnapshot.Empty);

        AssertForgotten(snapshot);
        end.SetResult();
        await open;
    }

    [Fact]
    public void AnIdleConnection_KeepsNothingOfItsLastRequest()
    {
        var context = new GatewayContext();
        var downstream = new DownstreamConnection();
        AssertForgotten(Serve(context, downstream));
        GC.KeepAlive(context);
        GC.KeepAlive(downstream);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (SnapshotHolder<GatewaySnapshot>, WeakReference) Publish()
    {
        var snapshot = Compile();
        return (new(snapshot), new(snapshot));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Serve(GatewayContext context, DownstreamConnection downstream)
    {
        var snapshot = Compile();
        context.Snapshot = snapshot;
        Assert.Null(downstream.ChainIn(snapshot, null, out _));
        context.Release();
        return new(snapshot);
    }

    private static GatewaySnapshot Compile() => GatewaySnapshot.Compile(
        ResourceSet.Empty, new SnapshotEnvironment(new WorkloadIdentity(), PortMap.Default, new NoKeys(), null, new UpstreamDirectory(null, TimeProvider.System)), []);

    private static void AssertForgotten(WeakReference snapshot) => Assert.True(
        SpinWait.SpinUntil(
            () =>
            {
                GC.Collect();
                return !snapshot.IsAlive;
            },
            TimeSpan.FromSeconds(20)),
        "the configuration is still held");

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class NoKeys : IJwksResolver
    {
        public JwksSource Resolve(JwksLocation location) => throw new InvalidOperationException("no rule asks for keys");
    }
}
