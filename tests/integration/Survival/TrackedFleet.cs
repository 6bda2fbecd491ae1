using System.Collections.Concurrent;
using System.Text;
using Millrace.TestKit;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Survival;

/// <summary>
/// Devices that publish numbered messages with QoS 1, several in flight, keep what was acknowledged, and send again
/// what was not when the platform went away under them.
/// </summary>
/// <param name="platform">Where they are registered.</param>
/// <param name="gateways">Where they connect, at the next one whenever a connection ends; else at the same.</param>
internal sealed class TrackedFleet(
    PlatformProcess platform, int devices, int window, params PlatformProcess[] gateways)
{
    private readonly PlatformProcess[] _gateways = gateways.Length > 0 ? gateways : [platform];
    private readonly ConcurrentDictionary<(string Device, int Number), int> _tries = new();
    private readonly ConcurrentDictionary<(string Device, int Number), bool> _acknowledged = new();
    private readonly SortedDictionary<string, string> _keys = new(StringComparer.Ordinal);

    public IReadOnlyList<string> Devices => [.. _keys.Keys];

    public IReadOnlyCollection<(string Device, int Number)> Acknowledged => [.. _acknowledged.Keys];

    /// <summary>How many messages of each device were acknowledged until now.</summary>
    public IReadOnlyList<int> AcknowledgedEach()
    {
        var each = _acknowledged.Keys.CountBy(message => message.Device).ToDictionary();
        return [.. _keys.Keys.Select(device => each.GetValueOrDefault(device))];
    }

    /// <summary>How often a message was begun to be sent: more than once only when its ack was cut off.</summary>
    public int Tries((string Device, int Number) message) => _tries.GetValueOrDefault(message);

    public async Task RegisterAsync()
    {
        for (var i = 0; i < devices; i++)
        {
            var id = $"survivor-{i}";
            _keys[id] = await platform.RegisterAsync(id);
        }
    }

    /// <summary>Publishes until told to stop; goes on over restarts of the platform.</summary>
    public Task RunAsync(CancellationToken stop) =>
        Task.WhenAll(_keys.Select((d, number) => DeviceAsync(d.Key, d.Value, number, stop)));

    /// <param name="turn">The gateway that it connects to first.</param>
    private async Task DeviceAsync(string device, string key, int turn, CancellationToken stop)
    {
        var next = 0;
        var again = new Queue<int>();
        for (; !stop.IsCancellationRequested; turn++)
        {
            MqttConnection connection;
            try
            {
                var port = _gateways[turn % _gateways.Length].MqttPort;
                connection = await MqttConnection.ConnectAsync(new MqttClientOptionsBuilder()
                    .WithTcpServer("127.0.0.1", port).WithClientId(device).WithCredentials(device, key)
                    .WithTimeout(TimeSpan.FromSeconds(10)).Build());
            }
            catch (Exception)
            {
                await Task.Delay(100, CancellationToken.None);
                continue;
            }

            await using var ending = connection;
            var client = connection.Client;
            while (!stop.IsCancellationRequested && client.IsConnected)
            {
                var numbers = new List<int>(window);
                while (numbers.Count < window) numbers.Add(again.TryDequeue(out var old) ? old : next++);
                var sent = await Task.WhenAll(numbers.Select(n => TrySendAsync(client, device, n)));
                for (var i = 0; i < sent.Length; i++)
                {
                    if (!sent[i]) again.Enqueue(numbers[i]);
                }
            }
        }
    }

    private async Task<bool> TrySendAsync(IMqttClient client, string device, int number)
    {
        var id = (device, number);
        try
        {
            _tries.AddOrUpdate(id, 1, (_, tries) => tries + 1);
            var message = new MqttApplicationMessageBuilder().WithTopic("telemetry").WithPayload(Body(number))
                .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build();
            var answer = await client.PublishAsync(message, CancellationToken.None);
            if (!answer.IsSuccess) return false;
            _acknowledged[id] = true;
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }

    private static byte[] Body(int number) =>
        Encoding.UTF8.GetBytes($$"""{"number":{{number}},"value":{{number * 37 % 101}},"line":"l{{number % 3}}"}""");
}
