using Millrace.Cql.Cluster;
using Millrace.Cql.Observability;
using Millrace.Cql.Protocol;

namespace Millrace.Cql;

/// <summary>After a change of the schema.</summary>
public sealed partial class CqlSession
{
    private static readonly TimeSpan AgreementPause = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Waits until all nodes that are up tell the same version of the schema; false when they do not within
    /// <see cref="CqlOptions.SchemaAgreementTimeout"/>.
    /// </summary>
    public async Task<bool> WaitForSchemaAgreementAsync(CancellationToken ct = default)
    {
        var startedAt = Time.GetTimestamp();
        while (Time.GetElapsedTime(startedAt) < Options.SchemaAgreementTimeout)
        {
            if (await AgreeAsync().ConfigureAwait(false)) return true;
            await Task.Delay(AgreementPause, Time, ct).ConfigureAwait(false);
        }

        return false;
    }

    /// <summary>
    /// Also reads the ring again when a keyspace was changed, so that its replicas are known at once.
    /// </summary>
    internal async Task AwaitSchemaAgreementAsync(SchemaChange change, CancellationToken ct)
    {
        if (!await WaitForSchemaAgreementAsync(ct).ConfigureAwait(false))
            _log.SchemaDisagrees(CqlErrors.SchemaDisagreement.With($"{change.Keyspace}.{change.Name}").ToString());
        if (change.Target == "KEYSPACE" && _monitor.Connection is { } connection)
            await _monitor.RefreshAsync(connection).ConfigureAwait(false);
    }

    private async Task<bool> AgreeAsync()
    {
        if (_monitor.Connection is not { Closed.IsCompleted: false } connection) return false;
        try
        {
            var rows = await RingReader.ReadNodesAsync(connection, Options).ConfigureAwait(false);
            var view = _monitor.View;
            var told = rows.Where((row, i) => i == 0 || IsUp(row)).Select(row => row.SchemaVersion).Distinct();
            return told.Count() == 1;

            bool IsUp(NodeRow row) => Array.Exists(view.Nodes, node => node.HostId == row.HostId && node.IsUp);
        }
        catch (CqlException)
        {
            // The connection was lost; the next one is asked.
            return false;
        }
    }
}
