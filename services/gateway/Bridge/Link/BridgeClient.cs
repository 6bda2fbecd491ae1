using MQTTnet;

namespace Millrace.Gateway.Bridge.Link;

/// <summary>
/// A connection to the broker, for all who publish over it: together they have no more in flight than the broker takes.
/// </summary>
/// <param name="packetBytesMax">The largest packet that the broker takes.</param>
/// <param name="receiveMaximum">How many publishes with QoS 1 or 2 it takes at a time (MQTT 5 §4.9).</param>
/// <param name="ended">Cancelled when the connection is over.</param>
internal sealed class BridgeClient(
    IMqttClient client, uint packetBytesMax, int receiveMaximum, CancellationToken ended)
{
    private readonly SemaphoreSlim _quota = new(receiveMaximum);

    public uint PacketBytesMax => packetBytesMax;

    public bool IsConnected => !ended.IsCancellationRequested && client.IsConnected;

    /// <summary>Sends a message with QoS 1 as soon as the broker takes one more; its answer is awaited apart.</summary>
    public async ValueTask<Task<MqttClientPublishResult>> SendAsync(
        MqttApplicationMessage message, CancellationToken ct)
    {
        await _quota.WaitAsync(ct).ConfigureAwait(false);
        return AnswerAsync(message);
    }

    /// <summary>Whoever sent it may go: it counts until the broker has answered.</summary>
    private async Task<MqttClientPublishResult> AnswerAsync(MqttApplicationMessage message)
    {
        try
        {
            return await client.PublishAsync(message, ended).ConfigureAwait(false);
        }
        finally
        {
            _quota.Release();
        }
    }
}
