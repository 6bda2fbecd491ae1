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
        var span = CqlMetrics.Spans.StartActivity(statement.Operation, ActivityKind.Client);
        if (span is not { IsAllDataRequested: true }) return span;
        span.SetTag("db.system.name", System);
        span.SetTag("db.operation.name", statement.Operation);
        span.SetTag("db.query.text", statement.Text);
        span.SetTag("cassandra.consistency.level", ConsistencyName(statement.Resolved.Consistency));
        if (statement.Keyspace.Length > 0) span.SetTag("db.namespace", statement.Keyspace);
        if (statement.BatchSize > 0) span.SetTag("db.operation.batch.size", statement.BatchSize);
        if (statement.Resolved.PageSize > 0) span.SetTag("cassandra.page.size", statement.Resolved.PageSize);
        span.SetTag("cassandra.query.idempotent", session.IsIdempotent(statement));
        return span;
    }

    public static void Stop(Activity? span, CqlSession session, CqlStatement statement, CqlNode? node, long startedAt,
        RowSet? result, Exception? failure)
    {
        if (result?.Warnings.Count > 0) session.OnWarnings(result.Warnings);
        var error = failure is null ? null : (failure as CqlException)?.Code ?? failure.GetType().FullName;
        if (CqlMetrics.Duration.Enabled)
        {
            var tags = new TagList
            {
                { "db.system.name", System },
                { "db.operation.name", statement.Operation },
                { "server.address", node?.Address },
            };
            if (error is not null) tags.Add("error.type", error);
            CqlMetrics.Duration.Record(session.Time.GetElapsedTime(startedAt).TotalSeconds, tags);
        }

        if (span is null) return;
        if (node is not null)
        {
            span.SetTag("server.address", node.Address);
            span.SetTag("server.port", node.EndPoint.Port);
            span.SetTag("cassandra.coordinator.id", node.HostId.ToString());
            span.SetTag("cassandra.coordinator.dc", node.Datacenter);
        }

        if (error is not null) span.SetTag("error.type", error).SetStatus(ActivityStatusCode.Error, error);
        if (failure is CqlServerException server)
            span.SetTag("db.response.status_code", $"0x{(int)server.ServerCode:X4}");
        span.Dispose();
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
