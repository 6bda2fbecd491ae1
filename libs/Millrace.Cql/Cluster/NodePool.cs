using System.Net;
using Microsoft.Extensions.Logging;
using Millrace.Cql.Connections;
using Millrace.Cql.Observability;

namespace Millrace.Cql.Cluster;

/// <summary>The connections to one node: kept open, and made again with growing pauses when they are lost.</summary>
internal sealed class NodePool : IAsyncDisposable
{
    private static readonly TimeSpan DroppedWithin = TimeSpan.FromSeconds(1);

    private static readonly Task Never = new TaskCompletionSource().Task;

    private readonly IPEndPoint _endPoint;
    private readonly string _name;
    private readonly Connector _connector;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _firstTry = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Random _random = new();
    private volatile Connection[] _open = [];
    private volatile TaskCompletionSource _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;

    public NodePool(IPEndPoint endPoint, Connector connector)
    {
        (_endPoint, _connector) = (endPoint, connector);
        _name = CqlMetrics.PoolName(endPoint, connector.Options.Keyspace);
        _log = connector.Options.LoggerFactory.CreateLogger<CqlSession>();
    }

    public bool IsUp => _open.Length > 0;

    public int InFlight
    {
        get
        {
            var sum = 0;
            foreach (var connection in _open) sum += connection.InFlight;
            return sum;
        }
    }

    /// <summary>Why the last attempt to connect failed.</summary>
    public CqlException? LastFailure { get; private set; }

    /// <summary>Begins to connect; completes after the first attempt, whether it succeeded or not.</summary>
    public Task StartAsync()
    {
        lock (_gate)
        {
            if (_loop.IsCompleted && !_stopping.IsCancellationRequested) _loop = Task.Run(RunAsync);
        }

        return _firstTry.Task;
    }

    /// <summary>Something says that the node is back: tries now instead of later.</summary>
    public void TryNow() => _wake.TrySetResult();

    /// <summary>Something says that the node is down: has its connections asked now whether they live.</summary>
    public void Probe()
    {
        foreach (var connection in _open) connection.Probe();
    }

    /// <summary>The connection with the fewest requests under way.</summary>
    public Connection? Pick()
    {
        var open = _open;
        if (open.Length == 0) return null;
        var best = open[0];
        for (var i = 1; i < open.Length; i++)
        {
            if (open[i].InFlight < best.InFlight) best = open[i];
        }

        return best;
    }

    public async ValueTask DisposeAsync() =>
        await EndAsync(CqlErrors.SessionClosed.With(_endPoint).AsCql()).ConfigureAwait(false);

    /// <summary>
    /// The node is none of the ring any more. What was under way there is lost, as with any connection, and may go to
    /// another node.
    /// </summary>
    public Task LeaveAsync() =>
        EndAsync(CqlErrors.ConnectionLost.With(_endPoint, "The node has left the ring.").AsCql());

    private async Task EndAsync(CqlException reason)
    {
        Connection[] open;
        lock (_gate)
        {
            _stopping.Cancel();
            open = _open;
            _open = [];
        }

        foreach (var connection in open) await connection.EndAsync(reason).ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        var time = _connector.Options.TimeProvider;
        var (failures, openedAt) = (0, long.MinValue);
        while (!_stopping.IsCancellationRequested)
        {
            var wake = _wake = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_open.Length >= _connector.Options.ConnectionsPerNode)
            {
                await WaitAsync(wake.Task, Timeout.InfiniteTimeSpan).ConfigureAwait(false);
                continue;
            }

            // A node that takes connections only to drop them must not be tried without a pause either.
            var dropped = _open.Length == 0 && openedAt != long.MinValue
                && time.GetElapsedTime(openedAt) < DroppedWithin;
            var connected = await TryConnectAsync().ConfigureAwait(false);
            _firstTry.TrySetResult();
            failures = connected && !dropped ? 0 : failures + 1;
            if (connected) openedAt = time.GetTimestamp();
            if (failures > 0) await WaitAsync(connected ? Never : wake.Task, Pause(failures)).ConfigureAwait(false);
        }

        _firstTry.TrySetResult();
    }

    private async Task<bool> TryConnectAsync()
    {
        try
        {
            var connection = await _connector.OpenAsync(_endPoint, _stopping.Token).ConfigureAwait(false);
            if (!TryAdd(connection)) await connection.DisposeAsync().ConfigureAwait(false);
            return true;
        }
        catch (Exception e)
        {
            if (_stopping.IsCancellationRequested) return false;
            LastFailure = e as CqlException ?? CqlErrors.ConnectFailed.With(_endPoint, e.Message).AsCql(e);
            CqlMetrics.ConnectionFailures.Add(1, CqlMetrics.Server(_endPoint));
            return false;
        }
    }

    private bool TryAdd(Connection connection)
    {
        lock (_gate)
        {
            if (_stopping.IsCancellationRequested) return false;
            _open = [.. _open, connection];
            if (_open.Length == 1) _log.NodeUp(_endPoint);
        }

        connection.Count = new ConnectionCount(_name);
        _ = ForgetWhenClosedAsync(connection, connection.Count);
        return true;
    }

    private async Task ForgetWhenClosedAsync(Connection connection, ConnectionCount count)
    {
        var reason = await connection.Closed.ConfigureAwait(false);
        count.End();
        lock (_gate)
        {
            if (_stopping.IsCancellationRequested) return;
            _open = [.. _open.Where(one => one != connection)];
            LastFailure = reason;
            if (_open.Length == 0) _log.NodeDown(_endPoint, reason.Error.Detail ?? reason.Message);
        }

        CqlMetrics.ConnectionFailures.Add(1, CqlMetrics.Server(_endPoint));
        TryNow();
    }

    /// <summary>
    /// Twice as long with each failure, and up to a fifth less, so that clients do not come all at once.
    /// </summary>
    private TimeSpan Pause(int failures)
    {
        var options = _connector.Options;
        var pause = options.ReconnectDelayMin * Math.Pow(2, Math.Min(failures - 1, 20));
        var longest = pause < options.ReconnectDelayMax ? pause : options.ReconnectDelayMax;
        return longest * (1 - (_random.NextDouble() / 5));
    }

    private async Task WaitAsync(Task wake, TimeSpan pause)
    {
        try
        {
            await wake.WaitAsync(pause, _connector.Options.TimeProvider, _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // Either way it is time to look again.
        }
    }
}
