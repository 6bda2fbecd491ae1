using Millrace.Mqtt;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>Tests of topic spaces, with the devices boss, pump-1 and pump-2.</summary>
public abstract class SpaceGatewayTests()
    : KeptGatewayTests(SpaceSettings.With(("Gateway:Sessions:QueueMessagesMax", "5")))
{
    private protected static readonly SessionAsk Kept = new(Clean: false, Expiry: 600);

    [SetUp]
    public async Task AddAsync()
    {
        await Host.AddDeviceAsync("boss", device => device with { TagsJson = """{"role":"boss"}""" });
        await Host.AddDeviceAsync("pump-2");
    }

    private protected static async Task SubscribeAsync(
        RawClient client, string filter, int qos, byte options = 0, byte identifier = 0)
    {
        await client.SubscribeAsync(filter, (byte)(qos | options), identifier > 0 ? [11, identifier] : null);
        Assert.That(await client.ReadAsync(), Is.EqualTo(new byte[] { 0x90, 4, 0, 77, 0, (byte)qos }));
    }

    private protected static async Task PublishAsync(
        RawClient client, string topic, string body, int qos, bool release = true, bool isOwnReader = false)
    {
        var packetId = (ushort)(qos == 0 ? 0 : 8);
        await client.SendAsync(target => client.Publish(target, topic, body, packetId, qos: qos));
        if (isOwnReader) return;
        if (qos == 1) Assert.That(await client.ReadAckAsync(), Is.EqualTo((8, ReasonCode.Success)));
        if (qos < 2) return;
        Assert.That(await client.ExpectAsync(PacketType.PubRec), Is.EqualTo((8, ReasonCode.Success)));
        if (!release) return;
        await client.AnswerAsync(PacketType.PubRel, 8);
        Assert.That(await client.ExpectAsync(PacketType.PubComp), Is.EqualTo((8, ReasonCode.Success)));
    }

    /// <summary>The message that comes to its own publisher, before or behind the PUBACK.</summary>
    private protected static async Task<Received> SkipAckAsync(RawClient client)
    {
        Received? message = null;
        for (var i = 0; i < 2; i++)
        {
            var packet = await client.ReadAsync();
            if (packet[0] >> 4 == (int)PacketType.PubAck) Assert.That(packet, Has.Length.EqualTo(4));
            else message = client.MessageOf(packet);
        }

        return message!;
    }
}
