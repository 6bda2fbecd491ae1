using System.Text.Json;

namespace Millrace.Simulator.Scenarios;

/// <summary>
/// A drone on its rounds: flight telemetry every 5 s, status every 20 s. The battery drains and is changed; one in
/// twenty drains fast, and one in fifty loses height until it lands.
/// </summary>
internal sealed class Drone(Random random) : IDeviceModel
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly double _drain = random.Next(20) == 0 ? 0.8 : 0.1 + (random.NextDouble() * 0.1);
    private readonly bool _sinks = random.Next(50) == 0;
    private double _battery = 40 + (random.NextDouble() * 60);
    private double _latitude = 52.5 + (random.NextDouble() * 0.2);
    private double _longitude = 13.3 + (random.NextDouble() * 0.2);
    private double _altitude = 60 + (random.NextDouble() * 60);
    private double _heading = random.NextDouble() * 360;
    private int _step = random.Next(4);

    public SimulatedMessage Next()
    {
        _step++;
        if (_step % 5 == 0) return new SimulatedMessage(TimeSpan.FromMilliseconds(50), "status", Status());
        Move();
        return new SimulatedMessage(Interval, "flight", Flight());
    }

    private void Move()
    {
        var speed = Speed();
        _heading = (_heading + ((random.NextDouble() - 0.5) * 30) + 360) % 360;
        _latitude += Math.Cos(_heading * Math.PI / 180) * speed * 5 / 111_000;
        _longitude += Math.Sin(_heading * Math.PI / 180) * speed * 5 / 67_000;
        _altitude = Math.Clamp(_altitude + ((random.NextDouble() - (_sinks ? 0.7 : 0.5)) * 8), 0, 140);
        _battery -= _drain;
        if (_battery < 3) _battery = 100;
    }

    private double Speed() => _altitude <= 0 ? 0 : 8 + (random.NextDouble() * 6);

    private byte[] Flight() => JsonSerializer.SerializeToUtf8Bytes(new
    {
        battery = Math.Round(_battery, 1),
        latitude = Math.Round(_latitude, 6),
        longitude = Math.Round(_longitude, 6),
        altitude = Math.Round(_altitude, 1),
        speed = Math.Round(Speed(), 1),
        heading = Math.Round(_heading),
    });

    private byte[] Status() => JsonSerializer.SerializeToUtf8Bytes(new
    {
        battery = Math.Round(_battery, 1),
        state = _altitude <= 0 ? "landed" : _battery < 10 ? "returning" : "flying",
        satellites = 8 + random.Next(8),
        temperature = Math.Round(20 + (random.NextDouble() * 15), 1),
    });
}
