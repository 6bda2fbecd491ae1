using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Repairs;

/// <summary>
/// Reads from Cassandra's own history, whoever repairs it, for how long some row was not. What is not repaired within
/// gc_grace_seconds may bring back what was deleted, and nothing else tells of it. Of a keyspace with one copy of each
/// row, and where the history cannot be read, there is no figure.
/// </summary>
internal sealed class RepairWatch : BackgroundService
{
    private readonly CassandraConnector _connector;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly TimeSpan _interval;
    private DateTimeOffset? _wholeSince;
    private string? _trouble;

    public RepairWatch(
        CassandraConnector connector, IOptions<CassandraOptions> options, IMeterFactory meters, TimeProvider time,
        ILogger<RepairWatch> log)
    {
        (_connector, _time, _log, _interval) = (connector, time, log, options.Value.RepairCheckInterval);
        meters.Create("Millrace.Stores.Cassandra").CreateObservableGauge("millrace.cassandra.repair.age", Ages, "s");
    }

    /// <summary>Since when every row was repaired at least once; null where nobody knows or needs it.</summary>
    internal static async Task<DateTimeOffset?> WholeSinceAsync(
        CqlSession session, string keyspace, CancellationToken ct)
    {
        var replication = await ReadAsync(session, row => row.Get<Dictionary<string, string>>(0), ct,
            "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?", keyspace).ConfigureAwait(false);
        if (replication.SelectMany(one => one.Values).Sum(Copies) < 2) return null;
        var tables = await ReadAsync(session, row => row.Get<string>(0), ct,
            "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?", keyspace).ConfigureAwait(false);

        // A table is at least as old as the newest of the migrations, one of which made it.
        var migrated = await ReadAsync(session, row => row.Get<DateTimeOffset>(0), ct,
            $"SELECT applied_at FROM {keyspace}.migrations").ConfigureAwait(false);
        var repairs = await ReadAsync(session, RepairOf, ct,
            "SELECT keyspace_name, finished_at, columnfamily_names, successful_ranges "
            + "FROM system_distributed.parent_repair_history").ConfigureAwait(false);
        if (migrated.Count == 0) return null;
        var own = repairs.Where(one => one.Keyspace == keyspace).Select(one => one.Repair);
        return Repair.WholeSince([.. own], tables, migrated.Max());
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var session = await _connector.SessionAsync(stoppingToken).ConfigureAwait(false);
            using var timer = new PeriodicTimer(_interval, _time);
            do await LookAsync(session, stoppingToken).ConfigureAwait(false);
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    /// <summary>What was known stays while Cassandra does not answer: it grows older, as the rows do.</summary>
    private async Task LookAsync(CqlSession session, CancellationToken ct)
    {
        try
        {
            _wholeSince = await WholeSinceAsync(session, _connector.Keyspace, ct).ConfigureAwait(false);
            _trouble = null;
        }
        catch (CqlException e)
        {
            var trouble = $"{e.Code}: {e.Error.Detail ?? e.Error.Definition.What}";
            if (trouble != _trouble) _log.RepairsUnknown(_connector.Keyspace, trouble);
            _trouble = trouble;
        }
    }

    private IEnumerable<Measurement<double>> Ages() => _wholeSince is { } since
        ? [new Measurement<double>((_time.GetUtcNow() - since).TotalSeconds)]
        : [];

    /// <summary>Of one data centre, such as 3, or 3/1 where one of three is transient.</summary>
    private static int Copies(string value) =>
        int.TryParse(value.Split('/')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var copies) ? copies : 0;

    private static (string Keyspace, Repair Repair) RepairOf(Row row) => (row.Get<string?>(0) ?? "", new Repair(
        row.Get<DateTimeOffset?>(1) ?? default, row.Get<HashSet<string>?>(2) ?? [],
        [.. (row.Get<HashSet<string>?>(3) ?? []).SelectMany(TokenRange.Parse)]));

    /// <summary>From one node: it may be a moment behind, and the history has copies of its own.</summary>
    private static async Task<List<T>> ReadAsync<T>(
        CqlSession session, Func<Row, T> read, CancellationToken ct, string text, params object?[] values)
    {
        var select = new SimpleStatement(text, values) { Consistency = Consistency.One };
        var list = new List<T>();
        await foreach (var row in session.QueryAsync(select, ct).ConfigureAwait(false)) list.Add(read(row));
        return list;
    }
}
