using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Millrace.Cql.Cluster;
using Millrace.Cql.Connections;
using Millrace.Cql.Observability;
using Millrace.Cql.Requests;

namespace Millrace.Cql;

/// <summary>
/// Connections to a Cassandra cluster. Make one for a process, share it between all threads, dispose it last. It finds
/// the nodes, sends each statement to a node that holds its partition, and goes on by itself when nodes come and go.
/// </summary>
public sealed partial class CqlSession : IAsyncDisposable
{
    private readonly ClusterMonitor _monitor;
    private readonly TimestampGenerator _timestamps;
    private readonly ILogger _log;
    private uint _turn;
    private volatile bool _closed;

    private CqlSession(CqlOptions options)
    {
        Options = options;
        Time = options.TimeProvider;
        _log = options.LoggerFactory.CreateLogger<CqlSession>();
        _monitor = new ClusterMonitor(new Connector(options));
        _timestamps = new TimestampGenerator(Time);
    }

    /// <summary>All nodes that the cluster tells of; those of other data centres are not connected to.</summary>
    public IReadOnlyList<CqlNode> Nodes => _monitor.View.Nodes;

    /// <summary>The data centre whose nodes are used.</summary>
    public string Datacenter => _monitor.View.Datacenter;

    internal CqlOptions Options { get; }

    internal TimeProvider Time { get; }

    /// <summary>Connects, or throws a <see cref="CqlException"/> that says why it cannot.</summary>
    public static async Task<CqlSession> ConnectAsync(CqlOptions options, CancellationToken ct = default)
    {
        options.Validate();
        var session = new CqlSession(options);
        try
        {
            await session._monitor.StartAsync(ct).ConfigureAwait(false);
            return session;
        }
        catch
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Executes a statement and gives its rows, or their first page. The statement is used up by it. After a change of
    /// the schema it waits until the nodes agree.
    /// </summary>
    public ValueTask<RowSet> ExecuteAsync(CqlStatement statement, CancellationToken ct = default) =>
        Request.ExecuteAsync(this, statement, ct);

    /// <summary>Executes text with values for its <c>?</c> markers.</summary>
    public ValueTask<RowSet> ExecuteAsync(string text, params object?[] values) =>
        Request.ExecuteAsync(this, new SimpleStatement(text, values), CancellationToken.None);

    /// <summary>All rows, page by page as they are read.</summary>
    public async IAsyncEnumerable<Row> QueryAsync(
        CqlStatement statement, [EnumeratorCancellation] CancellationToken ct = default)
    {
        statement.KeepAfterExecution = true;
        try
        {
            while (true)
            {
                var page = await ExecuteAsync(statement, ct).ConfigureAwait(false);
                for (var i = 0; i < page.Count; i++) yield return page[i];
                if (page.PagingState.IsEmpty) yield break;
                statement.PagingState = page.PagingState;
            }
        }
        finally
        {
            statement.Release();
        }
    }

    /// <summary>The nodes of this data centre that hold a statement's partition, the first to be asked first.</summary>
    public IReadOnlyList<CqlNode> ReplicasOf(BoundStatement statement)
    {
        var view = _monitor.View;
        return statement.TryGetToken(out var token) ? view.Ring.Find(statement.Keyspace, token).Nodes : [];
    }

    public async ValueTask DisposeAsync()
    {
        if (_closed) return;
        _closed = true;
        await _monitor.DisposeAsync().ConfigureAwait(false);
    }

    internal long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Time.TimestampFrequency);

    internal bool IsIdempotent(CqlStatement statement) =>
        statement.Idempotent ?? statement.IsIdempotentByNature ?? Options.Idempotent;

    /// <summary>Fills in what the statement leaves to the options.</summary>
    internal void Resolve(CqlStatement statement)
    {
        var isRead = statement.Operation == "SELECT";
        statement.Resolved = new ResolvedOptions(
            statement.Consistency ?? Options.Consistency,
            statement.SerialConsistency ?? (isRead ? null : Options.SerialConsistency),
            statement.Timestamp ?? _timestamps.Next(),
            isRead ? statement.PageSize ?? Options.PageSize : 0);
    }

    internal QueryPlan Plan(CqlStatement statement)
    {
        var view = _monitor.View;
        if (statement.Node is { } node) return new QueryPlan(view with { Local = [node] }, Replicas.None, 0);
        var replicas = statement.TryGetToken(out var token) ? view.Ring.Find(statement.Keyspace, token) : Replicas.None;
        return new QueryPlan(view, replicas, Interlocked.Increment(ref _turn));
    }

    /// <summary>What to say when no node took a request.</summary>
    internal CqlException NoNode()
    {
        if (_closed) return CqlErrors.SessionClosed.With("session").AsCql();
        var view = _monitor.View;
        var failures = view.Local.Select(node => node.IsUp
            ? $"{node.EndPoint}: full"
            : $"{node.EndPoint}: {node.Pool.LastFailure?.Error.Detail ?? "down"}");
        return CqlErrors.NoNodeAvailable.With(view.Datacenter, string.Join("; ", failures) + ".").AsCql();
    }

    internal void OnWarnings(IReadOnlyList<string> warnings)
    {
        CqlMetrics.Warnings.Add(warnings.Count);
        foreach (var warning in warnings) _log.ServerWarns(warning);
    }
}
