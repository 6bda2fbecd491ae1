using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>The nodes that open sessions, and when each was last heard.</summary>
internal sealed class SessionNodes(CassandraDatabase database)
{
    private static readonly StoreStatement Insert = new("INSERT INTO session_nodes(hub, node) VALUES('hub', ?)");
    private static readonly StoreStatement Hear =
        new("INSERT INTO session_nodes(hub, node, heard_at) VALUES('hub', ?, ?)");
    private static readonly StoreStatement Select =
        new("SELECT heard_at FROM session_nodes WHERE hub = 'hub' AND node = ?");
    private static readonly StoreStatement SelectAll =
        new("SELECT node, heard_at FROM session_nodes WHERE hub = 'hub'");

    private static readonly StoreStatement InsertRun =
        new("INSERT INTO node_runs(hub, run, node) VALUES('hub', ?, ?)");
    private static readonly StoreStatement SelectRuns = new("SELECT run, node FROM node_runs WHERE hub = 'hub'");
    private static readonly StoreStatement DeleteRun = new("DELETE FROM node_runs WHERE hub = 'hub' AND run = ?");

    private string? _run;
    private volatile bool _isKnown;

    /// <summary>One that opens sessions and has not said that it is at work is found, too.</summary>
    public async ValueTask EnsureAsync(string node, CancellationToken ct)
    {
        if (_isKnown) return;
        await database.RunAsync(Insert, ct, node).ConfigureAwait(false);
        _isKnown = true;
    }

    public async ValueTask HearAsync(string node, string run, DateTimeOffset at, CancellationToken ct)
    {
        await database.RunAsync(Hear, ct, node, at).ConfigureAwait(false);
        if (run == _run) return;
        await database.RunAsync(InsertRun, ct, run, node).ConfigureAwait(false);
        _run = run;
    }

    public async ValueTask<List<(string Run, string Node)>> RunsAsync(CancellationToken ct) =>
        await database.ListAsync(SelectRuns, row => (row.Get<string>(0), row.Get<string>(1)), ct)
            .ConfigureAwait(false);

    public async ValueTask EndAsync(string run, CancellationToken ct) =>
        await database.RunAsync(DeleteRun, ct, run).ConfigureAwait(false);

    public ValueTask<DateTimeOffset?> HeardAtAsync(string node, CancellationToken ct) =>
        database.FirstAsync(Select, row => row.Get<DateTimeOffset?>(0), ct, node);

    public async ValueTask<HashSet<string>> HeardAsync(DateTimeOffset since, CancellationToken ct) =>
        [.. (await AllAsync(ct).ConfigureAwait(false)).Where(one => one.HeardAt >= since).Select(one => one.Node)];

    /// <summary>Those of which nothing was heard since.</summary>
    /// <param name="own">One that counts as left, whatever was heard of it; or null.</param>
    public async ValueTask<List<string>> LeftAsync(DateTimeOffset heardSince, string? own, CancellationToken ct)
    {
        var all = await AllAsync(ct).ConfigureAwait(false);
        return [.. all.Where(one => one.Node == own || !(one.HeardAt >= heardSince)).Select(one => one.Node)];
    }

    private ValueTask<List<(string Node, DateTimeOffset? HeardAt)>> AllAsync(CancellationToken ct) =>
        database.ListAsync(SelectAll, row => (row.Get<string>(0), row.Get<DateTimeOffset?>(1)), ct);
}
