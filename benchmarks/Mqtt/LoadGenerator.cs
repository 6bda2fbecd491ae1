using System.Diagnostics;
using Millrace.Gateway.Sockets;

namespace Millrace.Benchmarks.Mqtt;

/// <summary>
/// Devices that publish, each with a window of messages that are not answered: all on the calling thread, by epoll and
/// plain system calls, so that the generator is not what is measured.
/// </summary>
internal sealed class LoadGenerator : IDisposable
{
    private const int ConnectingMax = 64;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    private readonly Epoll _epoll = new();
    private readonly Dictionary<int, LoadConnection> _connections = [];
    private readonly LoadConnection?[] _byDescriptor = new LoadConnection?[65_536];

    /// <summary>The server has closed a connection, and nothing more can be measured.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Connects devices, many at a time, and returns how many a second were let in.</summary>
    public double Connect(int port, bool tls, int count, int first = 0)
    {
        var started = Stopwatch.GetTimestamp();
        var (begun, connected) = (0, 0);
        while (connected < count)
        {
            for (; begun < count && begun - connected < ConnectingMax; begun++)
                Add(new LoadConnection(port, tls, Device(first + begun)));
            foreach (var one in Ready(started))
            {
                var before = one.IsConnected;
                one.Take();
                if (one.IsClosed) throw new IOException("A connection was closed before it was let in.");
                if (!before && one.IsConnected) connected++;
            }
        }

        return count / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>Publishes for a while, and then waits for the answers that are still under way.</summary>
    public LoadResult Run(int qos, int window, TimeSpan time)
    {
        var packets = new LoadPackets(qos, window);
        var cpu = Native.ThreadCpuSeconds();
        var started = Stopwatch.GetTimestamp();
        foreach (var one in _connections.Values) one.Publish(packets, window);
        var messages = 0L;
        while (Stopwatch.GetElapsedTime(started) < time && !IsBroken)
        {
            foreach (var one in Ready(started))
            {
                var done = one.Take();
                IsBroken |= one.IsClosed;
                if (done == 0) continue;
                messages += done;
                one.Publish(packets, done);
            }
        }

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        cpu = Native.ThreadCpuSeconds() - cpu;
        Settle();
        return new LoadResult(messages / seconds, cpu / seconds);
    }

    public void Dispose()
    {
        foreach (var one in _connections.Values) one.Dispose();
        _epoll.Dispose();
    }

    public static string Device(int number) => $"bench-{number}";

    private void Settle()
    {
        var started = Stopwatch.GetTimestamp();
        while (!IsBroken && _connections.Values.Any(one => one.InFlight > 0))
        {
            foreach (var one in Ready(started))
            {
                one.Take();
                IsBroken |= one.IsClosed;
            }
        }
    }

    private IEnumerable<LoadConnection> Ready(long since)
    {
        if (Stopwatch.GetElapsedTime(since) > Patience) throw new TimeoutException("The server does not answer.");
        var ready = _epoll.Wait(timeoutMs: 100);
        for (var i = 0; i < ready; i++) yield return _byDescriptor[_epoll.Ready(i).Descriptor]!;
    }

    private void Add(LoadConnection connection)
    {
        _connections.Add(connection.Descriptor, connection);
        _byDescriptor[connection.Descriptor] = connection;
        if (!_epoll.TryWatch(connection.Descriptor, Epoll.In)) throw new IOException("epoll_ctl failed.");
        connection.Begin();
    }
}

/// <param name="PerSecond">Messages a second that were answered.</param>
/// <param name="Cores">The processor time of the generator: 1 is the whole of a core.</param>
internal readonly record struct LoadResult(double PerSecond, double Cores);
