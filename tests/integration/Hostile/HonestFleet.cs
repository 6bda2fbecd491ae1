using System.Diagnostics;
using Millrace.Integration.Tests.Gateway;
using Millrace.Mqtt;

namespace Millrace.Integration.Tests.Hostile;

/// <summary>
/// Devices that do all as it should be: each publishes a number, waits for the acknowledgement, and goes on.
/// </summary>
internal sealed class HonestFleet : IDisposable
{
    public const string Prefix = "honest-";
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(20);

    private readonly List<RawClient> _clients = [];
    private readonly int[] _acknowledged;

    private HonestFleet(int devices) => _acknowledged = new int[devices];

    public int Acknowledged => _acknowledged.Sum();

    public static async Task<HonestFleet> ConnectAsync(GatewayHost host, int devices)
    {
        var fleet = new HonestFleet(devices);
        for (var i = 0; i < devices; i++)
        {
            await host.AddDeviceAsync($"{Prefix}{i}");
            fleet._clients.Add(await RawClient.LoginAsync(host, $"{Prefix}{i}"));
        }

        return fleet;
    }

    /// <summary>Publishes for a while, and gives the time that each acknowledgement took.</summary>
    public async Task<Latencies> PublishAsync(TimeSpan time)
    {
        using var stop = new CancellationTokenSource(time, TimeProvider.System);
        var all = await Task.WhenAll(
            _clients.Select((client, i) => Task.Run(() => PublishAsync(client, i, stop.Token))));
        return new Latencies([.. all.SelectMany(each => each).Order()]);
    }

    /// <summary>Each acknowledged message stands in the log, once and in its place, and nothing else.</summary>
    public async Task AssertNothingIsLostAsync(GatewayHost host, string seed)
    {
        var records = await host.TelemetryAsync(Prefix);
        Assert.That(Acknowledged, Is.Positive, seed);
        for (var i = 0; i < _acknowledged.Length; i++)
        {
            var numbers = records.Where(r => r.DeviceId == $"{Prefix}{i}").Select(r => int.Parse(r.Body));
            Assert.That(numbers, Is.EqualTo(Enumerable.Range(1, _acknowledged[i])), $"device {i}, {seed}");
        }
    }

    public void Dispose() => _clients.ForEach(client => client.Dispose());

    private async Task<List<double>> PublishAsync(RawClient client, int device, CancellationToken stop)
    {
        var took = new List<double>();
        while (!stop.IsCancellationRequested)
        {
            var number = _acknowledged[device] + 1;
            var id = (ushort)(1 + (number % 60_000));
            var sentAt = Stopwatch.GetTimestamp();
            await client.PublishAsync("telemetry", $"{number}", id);
            Assert.That(await client.ReadAckAsync(), Is.EqualTo((id, ReasonCode.Success)), $"device {device}");
            took.Add(Stopwatch.GetElapsedTime(sentAt).TotalMilliseconds);
            _acknowledged[device] = number;
            await Task.Delay(Period, TimeProvider.System, CancellationToken.None);
        }

        return took;
    }
}

/// <summary>Milliseconds, least first.</summary>
internal sealed record Latencies(double[] Sorted)
{
    public double Percentile(double percent) => Sorted[(int)Math.Min(Sorted.Length - 1, Sorted.Length * percent / 100)];
}
