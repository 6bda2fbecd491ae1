using Millrace.Archiver.Rows;
using Millrace.Delta.Log;
using ParquetSharp;

namespace Millrace.Archiver.Rewriting;

/// <summary>The keys or the values of a map; a row has as many as its map has entries.</summary>
internal sealed class MapLeafColumn(string name, string leaf) : RowColumn($"{name}.key_value.{leaf}")
{
    private readonly List<int> _starts = [0];
    private readonly List<ByteArray> _values = [];

    public int CountOf(int row) => _starts[row + 1] - _starts[row];

    public unsafe ReadOnlySpan<byte> Text(int row, int entry)
    {
        var value = _values[_starts[row] + entry];
        return new ReadOnlySpan<byte>((void*)value.Pointer, value.Length);
    }

    public override void Append(ColumnReader? reader, Statistics? statistics, int rows, RecordArena arena)
    {
        if (reader is null)
        {
            for (var i = 0; i < rows; i++) _starts.Add(_values.Count);
            return;
        }

        var typed = (ColumnReader<ByteArray>)reader;
        var most = reader.ColumnDescriptor.MaxDefinitionLevel;
        var (defined, repeated, chunk) = (new short[ChunkRows], new short[ChunkRows], new ByteArray[ChunkRows]);
        var isOpen = false;
        while (typed.HasNext)
        {
            var levels = typed.ReadBatch(ChunkRows, defined, repeated, chunk, out var _);
            var next = 0;
            for (var i = 0; i < levels; i++)
            {
                if (repeated[i] == 0 && isOpen) _starts.Add(_values.Count);
                isOpen = true;
                if (defined[i] == most) _values.Add(arena.Keep(chunk[next++]));
            }
        }

        if (isOpen) _starts.Add(_values.Count);
    }

    public override void WriteTo(ColumnWriter writer, ReadOnlySpan<int> rows)
    {
        var typed = (ColumnWriter<ByteArray>)writer;
        var (defined, repeated, values) = (new List<short>(), new List<short>(), new List<ByteArray>());
        for (; !rows.IsEmpty; rows = rows[Math.Min(ChunkRows, rows.Length)..])
        {
            foreach (var row in rows[..Math.Min(ChunkRows, rows.Length)])
            {
                var entries = CountOf(row);
                for (var i = 0; i < Math.Max(1, entries); i++)
                {
                    defined.Add(entries == 0 ? (short)0 : (short)1);
                    repeated.Add(i == 0 ? (short)0 : (short)1);
                }

                for (var i = 0; i < entries; i++) values.Add(_values[_starts[row] + i]);
            }

            typed.WriteBatch(defined.Count, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(defined),
                System.Runtime.InteropServices.CollectionsMarshal.AsSpan(repeated),
                System.Runtime.InteropServices.CollectionsMarshal.AsSpan(values));
            defined.Clear();
            repeated.Clear();
            values.Clear();
        }
    }

    public override ColumnStats? Stats(ReadOnlySpan<int> rows) =>
        leaf == "key" ? new ColumnStats(name, null, null, 0) : null;
}
