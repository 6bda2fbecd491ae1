using System.Diagnostics;
using System.Net.Sockets;
using Millrace.Integration.Tests.Gateway;

namespace Millrace.Integration.Tests.Hostile;

/// <summary>
/// Devices that do all as it should be: each publishes a number, waits for the acknowledgement, and goes on. All are
/// served by one thread of their own, so that what they wait for is the gateway, and not the pool that it works on too.
/// </summary>
internal sealed class HonestFleet : IDisposable
{
    public const string Prefix = "honest-";

    private readonly List<HonestDevice> _devices = [];

    private HonestFleet()
    {
    }

    public int Acknowledged => _devices.Sum(device => device.Acknowledged);

    public static async Task<HonestFleet> ConnectAsync(GatewayHost host, int devices)
    {
        var fleet = new HonestFleet();
        for (var i = 0; i < devices; i++)
        {
            await host.AddDeviceAsync($"{Prefix}{i}");
            fleet._devices.Add(new HonestDevice(await RawClient.LoginAsync(host, $"{Prefix}{i}")));
        }

        return fleet;
    }

    /// <summary>Publishes for a while, and gives the time that each acknowledgement took.</summary>
    public Task<Latencies> PublishAsync(TimeSpan time) => Task.Factory.StartNew(
        () => Publish(time), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Each acknowledged message stands in the log, once and in its place, and nothing else.</summary>
    public async Task AssertNothingIsLostAsync(GatewayHost host, string seed)
    {
        var records = await host.TelemetryAsync(Prefix);
        Assert.That(Acknowledged, Is.Positive, seed);
        for (var i = 0; i < _devices.Count; i++)
        {
            var numbers = records.Where(r => r.DeviceId == $"{Prefix}{i}").Select(r => int.Parse(r.Body));
            Assert.That(numbers, Is.EqualTo(Enumerable.Range(1, _devices[i].Acknowledged)), $"device {i}, {seed}");
        }
    }

    public void Dispose() => _devices.ForEach(device => device.Dispose());

    private Latencies Publish(TimeSpan time)
    {
        var took = new List<double>();
        var bySocket = _devices.ToDictionary(device => device.Socket);
        var started = Stopwatch.GetTimestamp();
        var readable = new List<Socket>();
        while (true)
        {
            if (Stopwatch.GetElapsedTime(started) < time) _devices.ForEach(device => device.PublishWhenDue());
            else if (!_devices.Exists(device => device.Waits)) return new Latencies([.. took.Order()]);

            readable.Clear();
            readable.AddRange(bySocket.Keys);
            Socket.Select(readable, null, null, TimeSpan.FromMilliseconds(1));
            foreach (var socket in readable)
                if (bySocket[socket].Read() is { } latency) took.Add(latency);
            _devices.ForEach(device => device.AssertPatience());
        }
    }
}

/// <summary>Milliseconds, least first.</summary>
internal sealed record Latencies(double[] Sorted)
{
    public double Percentile(double percent) => Sorted[(int)Math.Min(Sorted.Length - 1, Sorted.Length * percent / 100)];
}
