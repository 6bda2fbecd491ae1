using System.Net;
using Microsoft.Extensions.Logging;
using Millrace.Cql.Connections;
using Millrace.Cql.Observability;
using Millrace.Cql.Protocol;

namespace Millrace.Cql.Cluster;

/// <summary>
/// Keeps the view of the cluster current over a connection of its own: reads the ring at first, when an event says that
/// something changed, and now and then in case an event was lost. When the connection is lost it takes another node.
/// </summary>
internal sealed class ClusterMonitor(Connector connector) : IAsyncDisposable
{
    // Events come in swarms, and some before what they tell of can be read.
    private static readonly TimeSpan EventPause = TimeSpan.FromMilliseconds(200);

    private readonly CqlOptions _options = connector.Options;
    private readonly ILogger _log = connector.Options.LoggerFactory.CreateLogger<CqlSession>();
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _refreshing = new(1);
    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Connection? _connection;
    private volatile ClusterView _view = ClusterView.Empty;
    private Task _loop = Task.CompletedTask;

    public ClusterView View => _view;

    /// <summary>The connection over which events come, when there is one.</summary>
    public Connection? Connection => _connection;

    /// <summary>Connects through one of the contact points, and to all nodes of the data centre.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        var failure = await TryAttachAsync(await ResolveAsync(ct).ConfigureAwait(false), ct).ConfigureAwait(false);
        if (failure is not null) throw failure;
        await Task.WhenAll(_view.Local.Select(node => node.Pool.StartAsync())).WaitAsync(ct).ConfigureAwait(false);
        if (!_view.Local.Any(node => node.IsUp))
            throw CqlErrors.NoNodeAvailable.With(_view.Datacenter, "No node of this data centre answers.").AsCql();
        _loop = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>Reads the ring again over the connection that there is.</summary>
    public async Task RefreshAsync(Connection connection)
    {
        await _refreshing.WaitAsync(_stopping.Token).ConfigureAwait(false);
        try
        {
            var rows = await RingReader.ReadNodesAsync(connection, _options).ConfigureAwait(false);
            var keyspaces = await RingReader.ReadKeyspacesAsync(connection, _options).ConfigureAwait(false);
            Apply(rows, keyspaces);
        }
        finally
        {
            _refreshing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        if (_connection is { } connection) await connection.DisposeAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);

        // It may have got another just then.
        if (_connection is { } last) await last.DisposeAsync().ConfigureAwait(false);
        foreach (var node in _view.Nodes) await node.Pool.DisposeAsync().ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        for (var failures = 0; !_stopping.IsCancellationRequested;)
        {
            try
            {
                if (_connection is { Closed.IsCompleted: false } connection)
                {
                    await WaitForChangeAsync(connection).ConfigureAwait(false);
                    if (!connection.Closed.IsCompleted) await RefreshAsync(connection).ConfigureAwait(false);
                    failures = 0;
                    continue;
                }

                if (await AttachAnywhereAsync().ConfigureAwait(false) is not { } failure) continue;
                _log.RingUnread(null, failure.Message);
            }
            catch (Exception e)
            {
                // Whatever it was: without this loop the ring would stay as it is for as long as the process lives.
                if (_stopping.IsCancellationRequested) return;
                _log.RingUnread(_connection?.EndPoint, e.Message);
                _connection?.Close(e as CqlException
                    ?? CqlErrors.ConnectionLost.With(_connection.EndPoint, e.Message).AsCql(e));
            }

            await PauseAsync(failures++).ConfigureAwait(false);
        }
    }

    /// <summary>All nodes may be elsewhere by now, as pods are that were replaced: then their names tell.</summary>
    private async Task<CqlException?> AttachAnywhereAsync()
    {
        var nodes = _view.Nodes.OrderByDescending(node => node.IsUp).Select(node => node.EndPoint);
        if (await TryAttachAsync(nodes, _stopping.Token).ConfigureAwait(false) is null) return null;
        var named = await ResolveAsync(_stopping.Token).ConfigureAwait(false);
        return await TryAttachAsync(named, _stopping.Token).ConfigureAwait(false);
    }

    private async Task PauseAsync(int failures)
    {
        var pause = _options.ReconnectDelayMin * Math.Pow(2, Math.Min(failures, 20));
        var longest = pause < _options.ReconnectDelayMax ? pause : _options.ReconnectDelayMax;
        await Task.Delay(longest, _options.TimeProvider, _stopping.Token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Until an event came, the connection was lost, or it is time to look anyway.</summary>
    private async Task WaitForChangeAsync(Connection connection)
    {
        var changed = _changed.Task;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        var timer = Task.Delay(_options.RefreshInterval, _options.TimeProvider, stop.Token);
        await Task.WhenAny(changed, connection.Closed, timer).ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        _stopping.Token.ThrowIfCancellationRequested();
        if (!changed.IsCompleted) return;
        await Task.Delay(EventPause, _options.TimeProvider, _stopping.Token).ConfigureAwait(false);
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private async Task<CqlException?> TryAttachAsync(IEnumerable<IPEndPoint> endPoints, CancellationToken ct)
    {
        CqlException failure = CqlErrors.ConnectFailed.With("no contact point").AsCql();
        foreach (var endPoint in endPoints)
        {
            Connection? connection = null;
            try
            {
                connection = await connector.OpenAsync(endPoint, ct).ConfigureAwait(false);
                connection.OnEvent = OnEvent;
                await connection.CallAsync(Message.Register(ServerEvent.TopologyChange, ServerEvent.StatusChange,
                    ServerEvent.SchemaChanged), _options.RequestTimeout).ConfigureAwait(false);
                await RefreshAsync(connection).ConfigureAwait(false);
                _connection = connection;
                return null;
            }
            catch (Exception e)
            {
                failure = e as CqlException ?? CqlErrors.ConnectFailed.With(endPoint, e.Message).AsCql(e);
                connection?.Close(failure);
                if (ct.IsCancellationRequested || _stopping.IsCancellationRequested) throw;
            }
        }

        return failure;
    }

    private void OnEvent(ServerEvent change)
    {
        var isDown = change is { Kind: ServerEvent.StatusChange, Change: "DOWN" };
        if (isDown || change is { Kind: ServerEvent.StatusChange, Change: "UP" })
        {
            // Nodes may be wrong about each other, so the word of one only has the connections asked.
            foreach (var node in _view.Local.Where(node => node.EndPoint.Equals(change.Node)))
            {
                if (isDown) node.Pool.Probe();
                else node.Pool.TryNow();
            }
        }

        if (!isDown) _changed.TrySetResult();
    }

    private void Apply(List<NodeRow> rows, Dictionary<string, Replication> keyspaces)
    {
        var old = _view;
        var datacenter = _options.LocalDatacenter ?? (old.Datacenter.Length > 0 ? old.Datacenter : rows[0].Datacenter);
        var nodes = rows.Select(row => (Node: Known(old, row) ?? Make(row), row.Tokens)).ToList();
        CqlNode[] all = [.. nodes.Select(n => n.Node)];
        CqlNode[] local = [.. all.Where(node => node.Datacenter == datacenter)];
        if (local.Length == 0)
            throw CqlErrors.OptionsInvalid.With(nameof(CqlOptions.LocalDatacenter), $"No node is in {datacenter}.")
                .AsCql();
        var ring = new TokenRing(nodes, keyspaces, datacenter, _options.LocalRack);
        _view = new ClusterView(all, local, datacenter, ring);

        foreach (var node in local) _ = node.Pool.StartAsync();
        foreach (var node in old.Nodes.Except(all)) _ = node.Pool.LeaveAsync();
        if (!all.ToHashSet().SetEquals(old.Nodes)) _log.RingChanged(all.Length, local.Length, datacenter);
    }

    private static CqlNode? Known(ClusterView view, NodeRow row) => Array.Find(view.Nodes, node =>
        node.HostId == row.HostId && node.EndPoint.Equals(row.EndPoint) && node.Datacenter == row.Datacenter
        && node.Rack == row.Rack);

    private CqlNode Make(NodeRow row) => new(row, new NodePool(row.EndPoint, connector));

    private async Task<List<IPEndPoint>> ResolveAsync(CancellationToken ct)
    {
        var found = new List<IPEndPoint>();
        foreach (var contact in _options.ContactPoints)
        {
            if (IPEndPoint.TryParse(contact, out var literal))
            {
                found.Add(literal.Port == 0 ? new IPEndPoint(literal.Address, _options.Port) : literal);
                continue;
            }

            var parts = contact.Split(':');
            var port = parts.Length == 2 && int.TryParse(parts[1], out var own) ? own : _options.Port;
            try
            {
                var addresses = await Dns.GetHostAddressesAsync(parts[0], ct).ConfigureAwait(false);
                found.AddRange(addresses.Select(address => new IPEndPoint(address, port)));
            }
            catch (System.Net.Sockets.SocketException e)
            {
                _log.RingUnread(null, $"{contact}: {e.Message}");
            }
        }

        return found;
    }
}
