using System.Diagnostics;

namespace Millrace.Benchmarks.Mqtt;

/// <summary>A server and the devices that are connected to it.</summary>
internal sealed class LoadTarget : IDisposable
{
    private readonly ServerProcess _server;
    private readonly bool _tls;
    private readonly LoadGenerator _load = new();

    public LoadTarget(ServerProcess server, bool tls, int connections)
    {
        _server = server;
        _tls = tls;
        _load.Connect(Port, tls, connections);
    }

    private int Port => _tls ? _server.TlsPort : _server.Port;

    /// <summary>Asks on a connection of its own: a server that has not this QoS closes it.</summary>
    public bool Grants(int qos)
    {
        using var probe = new LoadGenerator();
        probe.Connect(Port, _tls, 1, first: GatewayServer.Devices - 1);
        probe.Run(qos, 1, TimeSpan.FromMilliseconds(50));
        return !probe.IsBroken;
    }

    public Turn Measure(int qos, int window, TimeSpan time)
    {
        var (started, cpu) = (Stopwatch.GetTimestamp(), _server.CpuSeconds());
        var result = _load.Run(qos, window, time);
        if (_load.IsBroken) throw new IOException($"{_server.Name} closed a connection.");
        cpu = (_server.CpuSeconds() - cpu) / Stopwatch.GetElapsedTime(started).TotalSeconds;
        return new Turn(result.PerSecond, cpu / result.PerSecond * 1e6, result.Cores);
    }

    public void Dispose() => _load.Dispose();
}

internal readonly record struct Turn(double PerSecond, double CpuUs, double GeneratorCores);
