namespace Millrace.Cql.Observability;

/// <summary>
/// One connection of a pool in <c>db.client.connection.count</c>. Requests share a connection, which is used while any
/// is under way. Its timer looks at that: to count at the start and the end of each request would slow them all.
/// </summary>
internal sealed class ConnectionCount
{
    private const string Idle = "idle";
    private const string Used = "used";

    private readonly Lock _gate = new();
    private readonly KeyValuePair<string, object?> _pool;
    private string? _state;

    public ConnectionCount(string pool)
    {
        _pool = new KeyValuePair<string, object?>("db.client.connection.pool.name", pool);
        Add(1, _state = Idle);
    }

    public void Set(bool used)
    {
        var state = used ? Used : Idle;
        lock (_gate)
        {
            if (_state is null || _state == state) return;
            Add(-1, _state);
            Add(1, _state = state);
        }
    }

    /// <summary>The connection is closed. The timer may look once more, which changes nothing.</summary>
    public void End()
    {
        lock (_gate)
        {
            if (_state is not null) Add(-1, _state);
            _state = null;
        }
    }

    private void Add(int count, string state) => CqlMetrics.Connections.Add(
        count, _pool, new KeyValuePair<string, object?>("db.client.connection.state", state));
}
