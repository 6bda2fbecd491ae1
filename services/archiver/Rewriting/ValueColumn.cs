using Millrace.Archiver.Rows;
using Millrace.Delta.Log;
using ParquetSharp;

namespace Millrace.Archiver.Rewriting;

/// <summary>A column of plain values.</summary>
/// <param name="statistic">A value as statistics write it; null when they have none of such columns.</param>
internal class ValueColumn<T>(string name, bool nullable, Func<T, object>? statistic) : RowColumn(name)
    where T : unmanaged
{
    private readonly List<bool> _has = [];
    private readonly List<T> _values = [];
    private readonly List<GroupBounds> _groups = [];
    private readonly short[] _levels = new short[ChunkRows];
    private readonly short[] _unused = new short[ChunkRows];
    private readonly T[] _chunk = new T[ChunkRows];

    public T this[int row] => _values[row];

    public bool Has(int row) => _has[row];

    public override void Append(ColumnReader? reader, Statistics? statistics, int rows, RecordArena arena)
    {
        if (statistics is Statistics<T> { HasMinMax: true, Min: not double.NaN, Max: not double.NaN } said)
        {
            var end = _values.Count + rows;
            _groups.Add(new GroupBounds(_values.Count, end, Keep(said.Min, arena), Keep(said.Max, arena)));
        }

        if (reader is null)
        {
            for (var i = 0; i < rows; i++) Add(default, false);
            return;
        }

        var typed = (ColumnReader<T>)reader;
        var most = reader.ColumnDescriptor.MaxDefinitionLevel;
        while (typed.HasNext)
        {
            var levels = (int)typed.ReadBatch(ChunkRows, _levels, _unused, _chunk, out var values);
            var next = 0;
            if (most == 0) levels = (int)values;
            for (var i = 0; i < levels; i++)
            {
                if (most == 0 || _levels[i] == most) Add(Keep(_chunk[next++], arena), true);
                else Add(default, false);
            }
        }
    }

    public override void WriteTo(ColumnWriter writer, ReadOnlySpan<int> rows)
    {
        var typed = (ColumnWriter<T>)writer;
        for (; !rows.IsEmpty; rows = rows[Math.Min(ChunkRows, rows.Length)..])
        {
            var some = rows[..Math.Min(ChunkRows, rows.Length)];
            var values = 0;
            for (var i = 0; i < some.Length; i++)
            {
                _levels[i] = _has[some[i]] ? (short)1 : (short)0;
                if (_has[some[i]]) _chunk[values++] = _values[some[i]];
            }

            if (nullable) typed.WriteBatch(some.Length, _levels.AsSpan(0, some.Length), [], _chunk.AsSpan(0, values));
            else typed.WriteBatch(_chunk.AsSpan(0, values));
        }
    }

    public override ColumnStats? Stats(ReadOnlySpan<int> rows)
    {
        var nulls = 0L;
        T? min = null, max = null;
        foreach (var row in rows)
        {
            if (!_has[row])
            {
                nulls++;
                continue;
            }

            var value = _values[row];
            if (statistic is null) continue;
            if (min is null || Comparer<T>.Default.Compare(value, min.Value) < 0) min = value;
            if (max is null || Comparer<T>.Default.Compare(value, max.Value) > 0) max = value;
        }

        return new ColumnStats(Path, min is null ? null : statistic!(min.Value),
            max is null ? null : statistic!(max.Value), nulls);
    }

    public override void FindBeyondGroup(ReadOnlySpan<int> rows, Action<int> found)
    {
        var next = 0;
        foreach (var group in _groups)
        {
            while (next < rows.Length && rows[next] < group.From) next++;
            for (; next < rows.Length && rows[next] < group.To; next++)
            {
                // Nothing may be concluded of what is no number.
                var value = _values[rows[next]];
                if (!_has[rows[next]] || value is double.NaN) continue;
                if (Compare(value, group.Min) < 0 || Compare(value, group.Max) > 0) found(rows[next]);
            }
        }
    }

    /// <summary>The order of the statistics in files.</summary>
    protected virtual int Compare(T one, T other) => Comparer<T>.Default.Compare(one, other);

    /// <summary>The value as it can be held when its page is gone.</summary>
    protected virtual T Keep(T value, RecordArena arena) => value;

    private void Add(T value, bool has)
    {
        _values.Add(value);
        _has.Add(has);
    }

    /// <summary>What a file says of the rows of a group, To excluded.</summary>
    private readonly record struct GroupBounds(int From, int To, T Min, T Max);
}

/// <summary>A column of texts or bytes.</summary>
internal sealed class TextColumn(string name, bool nullable) : ValueColumn<ByteArray>(name, nullable, statistic: null)
{
    public ReadOnlySpan<byte> Text(int row) => TextOf(this[row]);

    protected override int Compare(ByteArray one, ByteArray other) => TextOf(one).SequenceCompareTo(TextOf(other));

    protected override ByteArray Keep(ByteArray value, RecordArena arena) => arena.Keep(value);

    private static unsafe ReadOnlySpan<byte> TextOf(ByteArray value) => new((void*)value.Pointer, value.Length);
}
