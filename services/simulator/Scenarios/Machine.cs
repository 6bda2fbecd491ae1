using System.Text.Json;

namespace Millrace.Simulator.Scenarios;

/// <summary>
/// A rotating machine that sends every second. Wear grows; vibration and temperature follow it, and near its end the
/// machine stops, is mended and begins again.
/// </summary>
internal sealed class Machine(Random random) : IDeviceModel
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly double _wearStep = 0.0002 + (random.NextDouble() * 0.0008);
    private readonly double _rpm = 1_400 + (random.NextDouble() * 200);
    private double _wear = random.NextDouble() * 0.6;
    private int _stopped;

    public SimulatedMessage Next()
    {
        if (_stopped > 0 && --_stopped == 0) _wear = 0;
        else if (_stopped == 0)
        {
            _wear += _wearStep * (1 + _wear);
            if (_wear > 0.9 && random.NextDouble() < (_wear - 0.9) * 0.2) _stopped = 30;
        }

        var running = _stopped == 0;
        return new SimulatedMessage(Interval, "state", JsonSerializer.SerializeToUtf8Bytes(new
        {
            running,
            rpm = running ? Math.Round(_rpm + ((random.NextDouble() - 0.5) * 20)) : 0,
            vibration = Math.Round(running ? 1 + (_wear * _wear * 6) + (random.NextDouble() * 0.4) : 0, 3),
            temperature = Math.Round(running ? 45 + (_wear * 40) + (random.NextDouble() * 3) : 25, 1),
        }));
    }
}
