using Millrace.Cql;

namespace Millrace.Stores.Cassandra.Identities;

/// <summary>
/// One shard's devices in the order of their ids, read some at a time, and twice as many the next time: who looks for
/// what is rare comes for more and more.
/// </summary>
/// <param name="readAsync">Those after an id (null: the first ones), so many at most.</param>
/// <param name="size">How many are read at first.</param>
internal sealed class IdentityShard(Func<string?, int, ValueTask<List<Row>>> readAsync, int size)
{
    private const int SizeMax = 200;

    private readonly Queue<Row> _rows = [];
    private int _size = size;
    private string? _last;
    private bool _isWhole;

    public Row Current { get; private set; }

    public string DeviceId => Id(Current);

    /// <summary>Nothing is at hand, and there may be more.</summary>
    public bool IsSpent => _rows.Count == 0 && !_isWhole;

    /// <summary>Little is at hand: it may be read together with one that is spent.</summary>
    public bool IsLow => _rows.Count <= _size / 8 && !_isWhole;

    public async ValueTask ReadAsync()
    {
        if (_last is not null) _size = Math.Max(_size, Math.Min(_size * 2, SizeMax));
        var rows = await readAsync(_last, _size).ConfigureAwait(false);
        _isWhole = rows.Count < _size;
        if (rows.Count > 0) _last = Id(rows[^1]);
        foreach (var row in rows) _rows.Enqueue(row);
    }

    /// <summary>To the next one at hand.</summary>
    public bool Move()
    {
        if (!_rows.TryDequeue(out var next)) return false;
        Current = next;
        return true;
    }

    private static string Id(Row row) => row.Get<string>(0);
}
