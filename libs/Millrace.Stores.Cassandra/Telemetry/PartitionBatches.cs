using System.Runtime.InteropServices;
using Millrace.Cql;

namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>
/// Writes of several partitions, gathered into UNLOGGED batches of one partition each: one mutation and one request for
/// many rows. A batch is closed before a row that would take it past its bytes; a row that is larger goes alone.
/// </summary>
internal sealed class PartitionBatches<TKey>(long batchBytes)
    where TKey : notnull
{
    private readonly Dictionary<TKey, BatchStatement> _open = [];
    private readonly List<CqlStatement> _full = [];

    public void Add(TKey partition, BoundStatement write)
    {
        ref var batch = ref CollectionsMarshal.GetValueRefOrAddDefault(_open, partition, out _);
        if (batch is not null && batch.Bytes + write.Bytes > batchBytes)
        {
            _full.Add(batch);
            batch = null;
        }

        batch ??= BatchStatement.Rent();
        batch.Add(write);
        if (batch.Bytes < batchBytes) return;
        _full.Add(batch);
        _open.Remove(partition);
    }

    /// <summary>Everything that was added; it is empty again then.</summary>
    public IReadOnlyList<CqlStatement> Take()
    {
        List<CqlStatement> taken = [.. _full, .. _open.Values];
        _full.Clear();
        _open.Clear();
        return taken;
    }
}
