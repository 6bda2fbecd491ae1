using Millrace.Simulator.Scenarios;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Simulator.Fleet;

/// <summary>
/// One device on a connection of its own: sends what its model says when it is due, whether or not the messages before
/// are acknowledged, and comes back when it lost the line.
/// </summary>
internal sealed class SimulatedDevice(
    string id, string key, IDeviceModel model, Random random, SimulationOptions options, FleetCounts counts,
    TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Reconnect = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LateBy = TimeSpan.FromMinutes(2);

    private readonly SemaphoreSlim _inFlight = new(options.InFlightMax);
    private bool _counted;

    /// <summary>Sends until it is stopped; what was sent then is still waited for.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        // Not disposed of: a connection's end cleans up, and MQTTnet's Dispose throws when it meets that.
        var client = new MqttClientFactory().CreateMqttClient();
        try
        {
            // Not all at once: a fleet comes up over a second or so.
            await Task.Delay(TimeSpan.FromSeconds(random.NextDouble()), time, stop);
            var due = time.GetUtcNow();
            while (true)
            {
                if (await EnsureConnectedAsync(client, stop)) due = time.GetUtcNow();
                var message = model.Next();
                due += Jittered(options.Scaled(message.After));
                if (due - time.GetUtcNow() is { Ticks: > 0 } wait) await Task.Delay(wait, time, stop);
                await SendAsync(client, message, stop);
                if (random.NextDouble() >= options.OfflineShare) continue;
                await DisconnectAsync(client);
                await Task.Delay(options.OfflineSpell, time, stop);
            }
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            // Told to end.
        }
        finally
        {
            await DisconnectAsync(client);
        }
    }

    public void Dispose() => _inFlight.Dispose();

    private TimeSpan Jittered(TimeSpan after) =>
        after * (1 + (options.Jitter * ((2 * random.NextDouble()) - 1)));

    /// <summary>True when it was not connected before.</summary>
    private async Task<bool> EnsureConnectedAsync(IMqttClient client, CancellationToken stop)
    {
        if (client.IsConnected) return false;
        while (true)
        {
            Uncount();
            try
            {
                var answer = await client.ConnectAsync(ConnectOptions(), stop);
                if (answer.ResultCode == MqttClientConnectResultCode.Success)
                {
                    counts.Connect();
                    _counted = true;
                    return true;
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

    /// <summary>Returns when it is on its way; waits first while as many are as may be.</summary>
    private async Task SendAsync(IMqttClient client, SimulatedMessage message, CancellationToken stop)
    {
        var copies = random.NextDouble() < options.DuplicateShare ? 2 : 1;
        var isMalformed = random.NextDouble() < options.MalformedShare;
        var late = random.NextDouble() < options.LateShare ? LateBy : TimeSpan.Zero;
        var created = (time.GetUtcNow() - late).ToString("O");
        var body = message.Stamped(created);
        var packet = new MqttApplicationMessageBuilder()
            .WithTopic($"devices/{id}/messages/events/" +
                $"$.ct=application%2Fjson&$.ctime={Uri.EscapeDataString(created)}&kind={message.Kind}")
            .WithPayload(isMalformed ? body[..(body.Length / 2)] : body)
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build();
        for (var i = 0; i < copies; i++)
        {
            await _inFlight.WaitAsync(stop);
            _ = PublishAsync(client, packet);
        }
    }

    private async Task PublishAsync(IMqttClient client, MqttApplicationMessage packet)
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
        }
        finally
        {
            _inFlight.Release();
        }
    }

    private async Task AllAnsweredAsync()
    {
        for (var i = 0; i < options.InFlightMax; i++) await _inFlight.WaitAsync();
        _inFlight.Release(options.InFlightMax);
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
        await AllAnsweredAsync();
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
            tls.UseTls().WithTargetHost(options.TlsName ?? options.Host).WithTrustChain(Authority.Load(file)));
        return builder.Build();
    }
}
