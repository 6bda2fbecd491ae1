using ParquetSharp;
using Encoding = System.Text.Encoding;

namespace Millrace.Delta.Checkpoints;

/// <summary>
/// Columns of one row group of a checkpoint, whoever wrote it. A column that is not there has no values.
/// </summary>
internal sealed class CheckpointGroup(ParquetFileReader file, RowGroupReader group)
{
    private const int BatchLevels = 4096;

    private readonly SchemaDescriptor _schema = file.FileMetaData.Schema;

    public int Rows { get; } = checked((int)group.MetaData.NumRows);

    public string?[] Texts(string path)
    {
        var texts = new string?[Rows];
        Each<ByteArray>(path, (row, defined, most, value) =>
        {
            if (defined == most) texts[row] = TextOf(value);
        });
        return texts;
    }

    public long?[] Longs(string path)
    {
        var numbers = new long?[Rows];
        Each<long>(path, (row, defined, most, value) =>
        {
            if (defined == most) numbers[row] = value;
        });
        return numbers;
    }

    public int?[] Ints(string path)
    {
        var numbers = new int?[Rows];
        Each<int>(path, (row, defined, most, value) =>
        {
            if (defined == most) numbers[row] = value;
        });
        return numbers;
    }

    public bool?[] Bools(string path)
    {
        var values = new bool?[Rows];
        Each<bool>(path, (row, defined, most, value) =>
        {
            if (defined == most) values[row] = value;
        });
        return values;
    }

    public List<string>[] Lists(string path)
    {
        var lists = NewLists<string>();
        Each<ByteArray>(path, (row, defined, most, value) =>
        {
            if (defined == most) lists[row].Add(TextOf(value));
        });
        return lists;
    }

    public Dictionary<string, string>[] Maps(string path)
    {
        var names = Lists($"{path}.*.key");
        var values = NewLists<string>();
        var entry = (short)0;
        Each<ByteArray>($"{path}.*.key", (_, _, most, _) => entry = most);
        Each<ByteArray>($"{path}.*.value", (row, defined, most, value) =>
        {
            // An entry may be there without a value.
            if (defined >= entry) values[row].Add(defined == most ? TextOf(value) : "");
        });
        return [.. names.Zip(values, (keys, texts) => keys.Zip(texts).ToDictionary(pair => pair.First,
            pair => pair.Second))];
    }

    private void Each<T>(string path, EachValue<T> take) where T : unmanaged
    {
        var column = Find(path);
        if (column < 0) return;
        using var reader = group.Column(column);
        if (reader is not ColumnReader<T> typed)
            throw new InvalidDataException($"{path} is {reader.ColumnDescriptor.PhysicalType}.");
        var most = reader.ColumnDescriptor.MaxDefinitionLevel;
        var (defined, repeated, values) = (new short[BatchLevels], new short[BatchLevels], new T[BatchLevels]);
        var row = -1;
        while (typed.HasNext)
        {
            var levels = typed.ReadBatch(BatchLevels, defined, repeated, values, out var _);
            var value = 0;
            for (var i = 0; i < levels; i++)
            {
                if (repeated[i] == 0) row++;
                take(row, defined[i], most, defined[i] == most ? values[value++] : default);
            }
        }
    }

    /// <summary>The column of that path, a star standing for any one name; -1 when there is none.</summary>
    private int Find(string path)
    {
        var wanted = path.Split('.');
        for (var i = 0; i < _schema.NumColumns; i++)
        {
            var names = _schema.Column(i).Path.ToDotVector();
            if (names.Length == wanted.Length
                && names.Zip(wanted).All(pair => pair.Second == "*" || pair.First == pair.Second)) return i;
        }

        return -1;
    }

    private List<T>[] NewLists<T>() => [.. Enumerable.Range(0, Rows).Select(_ => new List<T>())];

    private static unsafe string TextOf(ByteArray value) =>
        Encoding.UTF8.GetString(new ReadOnlySpan<byte>((void*)value.Pointer, value.Length));

    private delegate void EachValue<in T>(int row, short defined, short most, T value);
}
