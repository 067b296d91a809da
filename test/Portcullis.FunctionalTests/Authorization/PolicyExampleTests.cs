using Portcullis.FunctionalTests.Support;
using Portcullis.Gateway;

namespace Portcullis.FunctionalTests.Authorization;

/// <summary>
/// The worked examples of authorization against a whole gateway on real sockets, in Istio-exact mode and in ours. Those that a client certificate or an external
/// authorizer takes part in are where these are tested.
/// </summary>
public sealed class PolicyExampleTests(EchoBackend backend) : IClassFixture<EchoBackend>
{
    public static TheoryData<string> Names => [.. PolicyExample.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Gateway_WorkedExample_AnswersAsWritten(string name)
    {
        var example = PolicyExample.Get(name);
        var options = new InProcessOptions { Mesh = (example.IsExact ? Modes.Exact : "") + example.Mesh, Workload = example.Workload };
        if (!example.IsAccepted)
        {
            await Assert.ThrowsAsync<ConfigurationException>(() => InProcessGateway.StartAsync(backend.Port, options, example.Files()));
            return;
        }

        await using var gateway = await InProcessGateway.StartAsync(backend.Port, options, example.Files());

        var response = await example.SendAsync(gateway.Port);

        Assert.Equal(example.Status, response.Status);
        if (response.Status == 200)
        {
            _ = EchoedRequest.Of(response);
            return;
        }

        Assert.Equal((example.Body, "text/plain"), (response.Body, response.Header("content-type")));
        Assert.Equal(response.Status == 401, response.Header("www-authenticate") is not null);
    }
}
