using MQTTnet;
using MQTTnet.Protocol;
using Millrace.Simulator.Scenarios;

namespace Millrace.Simulator.Fleet;

/// <summary>One device on a connection of its own: sends what its model says, and comes back when it lost the
/// line.</summary>
internal sealed class SimulatedDevice(
    string id, string key, IDeviceModel model, Random random, SimulationOptions options, FleetCounts counts,
    TimeProvider time)
{
    private static readonly TimeSpan Reconnect = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LateBy = TimeSpan.FromMinutes(2);
    private static readonly byte[] Malformed = "{\"battery\": "u8.ToArray();

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
                await Task.Delay(options.Scaled(message.After), time, stop);
                await SendAsync(client, message, stop);
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

    private async Task EnsureConnectedAsync(IMqttClient client, CancellationToken stop)
    {
        while (!client.IsConnected)
        {
            try
            {
                var answer = await client.ConnectAsync(ConnectOptions(), stop);
                if (answer.ResultCode == MqttClientConnectResultCode.Success)
                {
                    counts.Connect();
                    return;
                }

                counts.Refuse();
            }
            catch (Exception) when (!stop.IsCancellationRequested)
            {
                counts.Refuse();
            }

            await Task.Delay(Reconnect, time, stop);
        }
    }

    private async Task SendAsync(IMqttClient client, SimulatedMessage message, CancellationToken stop)
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
                var answer = await client.PublishAsync(packet, stop);
                if (answer.IsSuccess) counts.Acknowledge(time.GetElapsedTime(started));
                else counts.Refuse();
            }
            catch (Exception) when (!stop.IsCancellationRequested)
            {
                counts.Refuse();
                return;
            }
        }
    }

    private async Task DisconnectAsync(IMqttClient client)
    {
        if (!client.IsConnected) return;
        counts.Disconnect();
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
            .WithCredentials(id,
                key).WithTimeout(TimeSpan.FromSeconds(20)).WithKeepAlivePeriod(TimeSpan.FromSeconds(60));
        if (options.AuthorityFile is { } file) builder.WithTlsOptions(tls =>
            tls.UseTls().WithTrustChain(Authority.Load(file)));
        return builder.Build();
    }
}
