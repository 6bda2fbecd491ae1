using Millrace.Cql;

namespace Millrace.Stores.Cassandra.Identities;

/// <summary>One shard's devices in the order of their ids, read some at a time.</summary>
/// <param name="readAsync">Those after an id, as many as are read at a time.</param>
internal sealed class IdentityShard(Func<string, ValueTask<List<Row>>> readAsync, List<Row> first, int size)
{
    private List<Row> _rows = first;
    private int _next;

    public Row Current { get; private set; }

    public string DeviceId => Current.Get<string>(0);

    public async ValueTask<bool> MoveAsync()
    {
        if (_next == _rows.Count)
        {
            if (_rows.Count < size) return false;
            (_rows, _next) = (await readAsync(DeviceId).ConfigureAwait(false), 0);
            if (_rows.Count == 0) return false;
        }

        Current = _rows[_next++];
        return true;
    }
}
