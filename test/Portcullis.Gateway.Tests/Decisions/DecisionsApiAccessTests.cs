using System.Net;
using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Decisions;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.Tests.Decisions;

public sealed class DecisionsApiAccessTests
{
    [Theory]
    [InlineData("127.0.0.1", 200)]
    [InlineData("::1", 200)]
    [InlineData("::ffff:127.0.0.1", 200)]
    [InlineData("192.0.2.7", 403)]
    [InlineData("::ffff:192.0.2.7", 403)]
    public async Task Peer_OutsideOfLoopback_IsToldNothing(string peer, int status)
    {
        var journal = new DecisionJournal(10);
        var explainer = new LiveExplainer(journal, new SnapshotHolder<GatewaySnapshot>(GatewaySnapshot.Empty), new WorkloadIdentity(), PortMap.Default);
        Assert.Equal(status, await AskAsync(new DecisionsApi(journal, explainer), peer));
    }

    [Fact]
    public async Task Decisions_SwitchedOff_AreNotFound() => Assert.Equal(404, await AskAsync(new DecisionsApi(null, null), "127.0.0.1"));

    private static async Task<int> AskAsync(DecisionsApi api, string peer)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(peer);
        context.Request.Path = "/decisions";
        await api.HandleAsync(context);
        return context.Response.StatusCode;
    }
}
