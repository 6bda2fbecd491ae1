using Millrace.Cql.Cluster;
using Millrace.Cql.Connections;
using Millrace.Cql.Observability;
using Millrace.Cql.Protocol;

namespace Millrace.Cql;

/// <summary>After a change of the schema.</summary>
public sealed partial class CqlSession
{
    private static readonly TimeSpan AgreementPause = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Waits until all nodes of the data centre that are connected to tell the same version of the schema; false when
    /// they do not within <see cref="CqlOptions.SchemaAgreementTimeout"/>.
    /// </summary>
    public async Task<bool> WaitForSchemaAgreementAsync(CancellationToken ct = default)
    {
        var startedAt = Time.GetTimestamp();
        while (Options.SchemaAgreementTimeout - Time.GetElapsedTime(startedAt) is var left && left > TimeSpan.Zero)
        {
            try
            {
                if (await AgreeAsync().WaitAsync(left, Time, ct).ConfigureAwait(false)) return true;
            }
            catch (TimeoutException)
            {
                // A node that hangs has not said its version.
                return false;
            }

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
        if (change.Target != "KEYSPACE" || _monitor.Connection is not { } connection) return;
        try
        {
            await _monitor.RefreshAsync(connection).ConfigureAwait(false);
        }
        catch (CqlException e)
        {
            // What was asked for has been done, and the ring is read again over the next connection.
            _log.RingUnread(connection.EndPoint, e.Message);
        }
    }

    /// <summary>Asks each node itself: what nodes tell of each other may be older than the change.</summary>
    private async Task<bool> AgreeAsync()
    {
        var connections = _monitor.View.Local.Select(node => node.Pool.Pick()).OfType<Connection>().ToList();
        try
        {
            var versions = await Task.WhenAll(connections.Select(connection =>
                RingReader.ReadSchemaVersionAsync(connection, Options))).ConfigureAwait(false);
            return versions.Distinct().Count() == 1;
        }
        catch (CqlException)
        {
            // A connection was lost while it was asked.
            return false;
        }
    }
}
