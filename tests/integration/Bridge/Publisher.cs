using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Bridge;

/// <summary>Publishes numbers to topics, in order; what it counts the broker has acknowledged.</summary>
internal sealed class Publisher : IAsyncDisposable
{
    private const int Window = 10;

    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();

    public static async Task<Publisher> ConnectAsync(int port, Action<MqttClientOptionsBuilder>? more = null)
    {
        var publisher = new Publisher();
        var options = new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port)
            .WithProtocolVersion(MqttProtocolVersion.V500).WithClientId(Guid.NewGuid().ToString("N"));
        more?.Invoke(options);
        await publisher._client.ConnectAsync(options.Build());
        return publisher;
    }

    /// <summary>
    /// The numbers from first on, to each topic; returns when the broker has acknowledged all. With QoS 2 one of a
    /// topic is in flight: MQTTnet releases those in flight in any order, and so the broker passes them on.
    /// </summary>
    public async Task NumbersAsync(IReadOnlyList<string> topics, int first, int count, int qos)
    {
        var inFlight = new Queue<Task<MqttClientPublishResult>>();
        for (var number = first; number < first + count; number++)
        {
            foreach (var topic in topics)
            {
                if (inFlight.Count >= (qos == 2 ? topics.Count : Window)) Check(await inFlight.Dequeue());
                inFlight.Enqueue(PublishAsync(topic, $$"""{"n":{{number}}}""", qos));
            }
        }

        while (inFlight.TryDequeue(out var publish)) Check(await publish);
    }

    public Task<MqttClientPublishResult> PublishAsync(string topic, string body, int qos,
        Action<MqttApplicationMessageBuilder>? more = null)
    {
        var message = new MqttApplicationMessageBuilder().WithTopic(topic).WithPayload(body)
            .WithQualityOfServiceLevel((MqttQualityOfServiceLevel)qos);
        more?.Invoke(message);
        return _client.PublishAsync(message.Build());
    }

    public async ValueTask DisposeAsync()
    {
        if (_client.IsConnected) await _client.DisconnectAsync();
        _client.Dispose();
    }

    private static void Check(MqttClientPublishResult result) => Assert.That(result.IsSuccess, $"{result.ReasonCode}");
}
