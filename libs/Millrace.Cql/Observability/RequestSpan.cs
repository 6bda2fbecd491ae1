using System.Diagnostics;

namespace Millrace.Cql.Observability;

/// <summary>
/// The span and the duration of a statement, by OpenTelemetry's conventions for databases and Cassandra.
/// </summary>
internal static class RequestSpan
{
    private const string System = "cassandra";

    public static Activity? Start(CqlStatement statement, CqlSession session)
    {
        if (!CqlMetrics.Spans.HasListeners()) return null;
        var name = statement.Collection is { } table ? $"{statement.Operation} {table}" : statement.Operation;
        var tags = Describe(statement, session);
        if (statement.ParameterizedText is { } text) tags.Add("db.query.text", text);
        var around = Activity.Current;
        var span = CqlMetrics.Spans.StartActivity(name, ActivityKind.Client, default(ActivityContext), tags);

        // The caller goes on while it runs: what it starts next is not within it.
        Activity.Current = around;
        if (span is not { IsAllDataRequested: true }) return span;
        span.SetTag("cassandra.consistency.level", ConsistencyName(statement.Resolved.Consistency));
        if (statement.BatchSize > 1) span.SetTag("db.operation.batch.size", statement.BatchSize);
        if (statement.Resolved.PageSize > 0) span.SetTag("cassandra.page.size", statement.Resolved.PageSize);
        span.SetTag("cassandra.query.idempotent", session.IsIdempotent(statement));
        return span;
    }

    public static void Stop(Activity? span, CqlSession session, CqlStatement statement, CqlNode? node, long startedAt,
        RowSet? result, Exception? failure)
    {
        if (result?.Warnings.Count > 0) session.OnWarnings(result.Warnings);
        var error = failure is null ? null : (failure as CqlException)?.Code ?? failure.GetType().FullName;
        var status = failure is CqlServerException server ? $"0x{(int)server.ServerCode:X4}" : null;
        if (CqlMetrics.Duration.Enabled)
        {
            var tags = Describe(statement, session);
            if (node is not null) tags.Add("server.address", node.Address);
            if (node is not null) tags.Add("server.port", node.Port);
            if (error is not null) tags.Add("error.type", error);
            if (status is not null) tags.Add("db.response.status_code", status);
            CqlMetrics.Duration.Record(session.Time.GetElapsedTime(startedAt).TotalSeconds, tags);
        }

        if (span is null) return;
        if (node is not null)
        {
            span.SetTag("server.address", node.Address);
            span.SetTag("server.port", node.Port);
            span.SetTag("network.peer.address", node.Address);
            span.SetTag("network.peer.port", node.Port);
            span.SetTag("cassandra.coordinator.id", node.HostId.ToString());
            span.SetTag("cassandra.coordinator.dc", node.Datacenter);
        }

        if (error is not null) span.SetTag("error.type", error).SetStatus(ActivityStatusCode.Error, error);
        if (status is not null) span.SetTag("db.response.status_code", status);

        // To end one sets what was around it, which is nothing to the thread that the answer came on.
        var around = Activity.Current;
        span.Dispose();
        Activity.Current = around;
    }

    /// <summary>What a span has from its start, so that sampling can go by it, and the duration too.</summary>
    private static TagList Describe(CqlStatement statement, CqlSession session)
    {
        var tags = new TagList { { "db.system.name", System }, { "db.operation.name", statement.Operation } };
        if (session.Options.Keyspace is { } keyspace) tags.Add("db.namespace", keyspace);
        if (statement.Collection is { } table) tags.Add("db.collection.name", table);
        return tags;
    }

    private static string ConsistencyName(Consistency consistency) => consistency switch
    {
        Consistency.LocalQuorum => "local_quorum",
        Consistency.EachQuorum => "each_quorum",
        Consistency.LocalOne => "local_one",
        Consistency.LocalSerial => "local_serial",
        _ => consistency.ToString().ToLowerInvariant(),
    };
}
