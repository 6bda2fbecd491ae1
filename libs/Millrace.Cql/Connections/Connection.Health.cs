using Millrace.Cql.Observability;
using Millrace.Cql.Protocol;

namespace Millrace.Cql.Connections;

/// <summary>Deadlines, orphaned streams and heartbeats, all by one timer.</summary>
internal sealed partial class Connection
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(50);

    // A connection with requests under way that is silent for so long is asked whether it lives.
    private static readonly TimeSpan BusySilence = TimeSpan.FromSeconds(1);

    private readonly List<IResponseHandler> _expired = [];
    private long _lastReadAt;
    private int _ticking;
    private int _heartbeatPending;
    private volatile bool _hasHeartbeats;

    /// <summary>Asks now whether it lives, since something says that its node is down.</summary>
    public void Probe()
    {
        if (_hasHeartbeats) _ = HeartbeatAsync();
    }

    private void Tick()
    {
        if (Interlocked.Exchange(ref _ticking, 1) == 1) return;
        var now = _time.GetTimestamp();
        int orphans;
        bool busy;
        lock (_gate)
        {
            if (IsClosed) return;
            _streams.AbandonExpired(now, _expired);
            orphans = _streams.Orphans;
            busy = _inFlight > 0;
        }

        foreach (var handler in _expired)
            handler.OnFailure(this, CqlErrors.TimedOut.With(EndPoint).AsCql());
        CqlMetrics.OrphanedStreams.Add(_expired.Count);
        _expired.Clear();
        if (orphans > _orphansMax)
            Close(CqlErrors.ConnectionLost.With(EndPoint, $"{orphans} requests were never answered.").AsCql());
        Count?.Set(busy);
        RelieveTurn();
        var silence = _time.GetElapsedTime(Volatile.Read(ref _lastReadAt), now);
        if (silence > (busy ? BusySilence : _options.HeartbeatInterval)) Probe();
        Volatile.Write(ref _ticking, 0);
    }

    private async Task HeartbeatAsync()
    {
        if (Interlocked.Exchange(ref _heartbeatPending, 1) == 1) return;
        try
        {
            var call = new Call();
            var sentAt = _time.GetTimestamp();
            if (!TrySend(call, Message.Options, sentAt + Ticks(_options.HeartbeatTimeout), isOwn: true)) return;
            await call.Task.ConfigureAwait(false);
        }
        catch (CqlException e)
        {
            // Behind much that waits to be sent it may be late; other answers say as well that the node lives.
            if (_time.GetElapsedTime(Volatile.Read(ref _lastReadAt)) < _options.HeartbeatTimeout) return;
            Close(CqlErrors.ConnectionLost.With(EndPoint, "It does not answer a heartbeat.").AsCql(e));
        }
        finally
        {
            Volatile.Write(ref _heartbeatPending, 0);
        }
    }
}
