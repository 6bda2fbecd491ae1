using Millrace.Mqtt;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>What the gateway holds for one who has not shown yet who he is.</summary>
public class UnknownClientTests(int eventLoops, bool tls) : TransportTests(eventLoops, tls)
{
    private static readonly TimeSpan BeforeTheTimeout = TimeSpan.FromSeconds(5);

    [TestCase("30", "packet-unexpected", TestName = "A first byte that is no CONNECT's")]
    [TestCase("30FF7F", "packet-unexpected", TestName = "A large PUBLISH of which nothing comes")]
    [TestCase("10F0A204", "too-large", TestName = "A CONNECT of 70,000 bytes of which nothing comes")]
    public async Task It_is_refused_by_its_header(string bytes, string reason)
    {
        await using var host = await GatewayHost.StartAsync();
        using var client = await RawClient.OpenAsync(host);
        await client.SendAsync(Convert.FromHexString(bytes));

        await Eventually.TrueAsync(() => host.Meters["malformed/" + reason] == 1, "refused", BeforeTheTimeout);
        await Eventually.TrueAsync(() => host.Meters["connections"] == 0, "closed", BeforeTheTimeout);
    }

    [TestCase(256, 0)]
    [TestCase(257, (int)ReasonCode.ClientIdentifierNotValid)]
    public async Task A_client_id_that_is_too_long_is_refused(int length, int code)
    {
        await using var host = await GatewayHost.StartAsync();
        await host.AddDeviceAsync("pump-1");
        using var client = await RawClient.OpenAsync(host);
        await client.ConnectAsync("pump-1", GatewayHost.Key, clientId: new string('c', length));

        Assert.That((await client.ReadAsync())[3], Is.EqualTo((byte)code));
        Assert.That(host.Meters["refusals/client-id-too-long"], Is.EqualTo(code == 0 ? 0 : 1));
    }
}
