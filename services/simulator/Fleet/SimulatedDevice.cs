using Millrace.Simulator.Scenarios;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Simulator.Fleet;

/// <summary>One device on a connection of its own: sends what its model says, and comes back when it lost the
/// line.</summary>
internal sealed class SimulatedDevice(
    string id, string key, IDeviceModel model, Random random, SimulationOptions options, FleetCounts counts,
    TimeProvider time)
{
    private static readonly TimeSpan Reconnect = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LateBy = TimeSpan.FromMinutes(2);
    private static readonly byte[] Malformed = "{\"battery\": "u8.ToArray();

    private bool _counted;

    /// <summary>Sends until it is stopped; what was sent then is still waited for.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        try
        {
            // Not all at once: a fleet comes up over a second or so.
            await Task.Delay(TimeSpan.FromSeconds(random.NextDouble()), time, stop);
            while (true)
            {
                await EnsureConnectedAsync(client, stop);
                var message = model.Next();
                await Task.Delay(Jittered(options.Scaled(message.After)), time, stop);
                await SendAsync(client, message);
                if (random.NextDouble() >= options.OfflineShare) continue;
                await DisconnectAsync(client);
                await Task.Delay(options.OfflineSpell, time, stop);
            }
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            await DisconnectAsync(client);
        }
    }

    private TimeSpan Jittered(TimeSpan after) =>
        after * (1 + (options.Jitter * ((2 * random.NextDouble()) - 1)));

    private async Task EnsureConnectedAsync(IMqttClient client, CancellationToken stop)
    {
        while (!client.IsConnected)
        {
            Uncount();
            try
            {
                var answer = await client.ConnectAsync(ConnectOptions(), stop);
                if (answer.ResultCode == MqttClientConnectResultCode.Success)
                {
                    counts.Connect();
                    _counted = true;
                    return;
                }

                counts.Refuse($"CONNECT: {answer.ResultCode}");
            }
            catch (Exception failure) when (!stop.IsCancellationRequested)
            {
                counts.Refuse($"CONNECT: {failure.GetBaseException().Message}");
            }

            await Task.Delay(Reconnect, time, stop);
        }
    }

    private async Task SendAsync(IMqttClient client, SimulatedMessage message)
    {
        var copies = random.NextDouble() < options.DuplicateShare ? 2 : 1;
        var body = random.NextDouble() < options.MalformedShare ? Malformed : message.Body;
        var late = random.NextDouble() < options.LateShare ? LateBy : TimeSpan.Zero;
        var created = Uri.EscapeDataString((time.GetUtcNow() - late).ToString("O"));
        var packet = new MqttApplicationMessageBuilder()
            .WithTopic($"devices/{id}/messages/events/$.ct=application%2Fjson&$.ctime={created}&kind={message.Kind}")
            .WithPayload(body).WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build();
        for (var i = 0; i < copies; i++)
        {
            var started = time.GetTimestamp();
            try
            {
                counts.Send();
                var answer = await client.PublishAsync(packet, CancellationToken.None);
                if (answer.IsSuccess) counts.Acknowledge(time.GetElapsedTime(started));
                else counts.Refuse($"PUBLISH: {answer.ReasonCode}");
            }
            catch (Exception failure)
            {
                counts.Refuse($"PUBLISH: {failure.GetBaseException().Message}");
                return;
            }
        }
    }

    /// <summary>Takes the connection out of the count, when it is in there: the line may have been lost.</summary>
    private void Uncount()
    {
        if (!_counted) return;
        _counted = false;
        counts.Disconnect();
    }

    private async Task DisconnectAsync(IMqttClient client)
    {
        Uncount();
        if (!client.IsConnected) return;
        try
        {
            await client.DisconnectAsync();
        }
        catch (Exception)
        {
            // The other side went first.
        }
    }

    private MqttClientOptions ConnectOptions()
    {
        var builder = new MqttClientOptionsBuilder().WithTcpServer(options.Host, options.Port).WithClientId(id)
            .WithCredentials(id, key).WithTimeout(AnswerLimit).WithKeepAlivePeriod(TimeSpan.FromSeconds(60));
        if (options.AuthorityFile is { } file) builder.WithTlsOptions(tls =>
            tls.UseTls().WithTrustChain(Authority.Load(file)));
        return builder.Build();
    }
}
