using CsCheck;
using Millrace.Batch.Tables;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.Delta.Schema;
using Millrace.ObjectStore;
using ParquetSharp;
using ParquetSharp.IO;

namespace Millrace.Contract.Tests.Batch;

/// <summary>
/// A table of one file with small row groups, whose columns have what statistics say little or nothing of: nulls, texts
/// that are too long for them, letters beyond ASCII, what is no number; and conditions over it.
/// </summary>
internal static class RandomTable
{
    public const string Name = "job_random";

    private const int Groups = 12;
    private const int RowsEach = 5;
    private const int FillerBytes = 12_000;
    private const int Values = 10;

    private static readonly DateTime Start = new(2026, 11, 22, 7, 0, 0, DateTimeKind.Utc);

    /// <summary>In their order; statistics do not have the longest.</summary>
    private static readonly string[] Names =
    [
        "", "a", "device-1", "device-10", "device-10-of-the-second-hall", "device-2", "d\u00e4vice", "e",
        "z" + new string('z', 5_000), "\U0001F600",
    ];

    private static readonly double[] Numbers = [double.NegativeInfinity, -3, -1, 0, 1, 2, 3, 5, 7, double.NaN];

    private static readonly (string Column, Func<int, string> Literal)[] Columns =
    [
        ("id", value => $"{value * 6}"),
        ("name", value => $"'{Names[value]}'"),
        ("n", value => $"{value - 3}"),
        ("seen_at", value => $"'{Start.AddMicroseconds((value * 500) + (value % 2)):yyyy-MM-dd HH:mm:ss.ffffff}Z'"),
        ("x", value => double.IsFinite(Numbers[value]) ? $"{Numbers[value]}" : $"'{Numbers[value]}'::DOUBLE"),
        ("unseen", value => $"{value}"),
    ];

    private static readonly Gen<string> Comparison = Gen.Select(
        Gen.Int[0, Columns.Length - 1], Gen.OneOfConst("=", "<", "<=", ">", ">=", "<>", "between", "is null"),
        Gen.Int[0, Values - 1], Gen.Int[0, Values - 1], (column, comparison, a, b) =>
        {
            var (name, literal) = Columns[column];
            return comparison switch
            {
                "between" => $"{name} BETWEEN {literal(Math.Min(a, b))} AND {literal(Math.Max(a, b))}",
                "is null" => $"{name} IS NULL",
                _ when a < b => $"{literal(a)} {comparison} {name}",
                _ => $"{name} {comparison} {literal(a)}",
            };
        });

    /// <summary>What may stand behind WHERE.</summary>
    public static Gen<string> Condition { get; } = Gen.Select(
        Comparison, Comparison, Comparison, Gen.Int[0, 5], (a, b, c, form) => form switch
        {
            0 => a,
            1 => $"{a} AND {b}",
            2 => $"{a} AND {b} AND {c}",
            3 => $"{a} AND ({b} OR {c})",
            4 => $"NOT ({a}) AND {b}",
            _ => $"{a} OR {b}",
        });

    public static async Task WriteAsync(IObjectStore store, int seed)
    {
        var root = BatchTable.OfJob("random").Root;
        var content = Content(new Random(seed), isSorted: seed % 2 == 0);
        await store.PutAsync($"{root}/rows.parquet", content);
        using var delta = new DeltaTable(store, root, TimeProvider.System);
        await delta.EnsureAsync(
            new DeltaSchema(
            [
                new("id", DeltaType.Long), new("name", DeltaType.String), new("n", DeltaType.Integer),
                new("seen_at", DeltaType.Timestamp), new("x", DeltaType.Double), new("unseen", DeltaType.Long),
                new("filler", DeltaType.String),
            ]),
            []);
        await delta.CommitAsync(new DeltaCommit
        {
            Id = "random",
            Operation = "WRITE",
            Adds = [new AddFile("rows.parquet", new Dictionary<string, string>(), content.Length, 0, true, null)],
            FilesWrittenAt = TimeProvider.System.GetUtcNow(),
        });
    }

    private static byte[] Content(Random random, bool isSorted)
    {
        var names = Enumerable.Range(0, Groups * RowsEach).Select(_ => Of(Names)).ToList();
        if (isSorted) names.Sort(StringComparer.Ordinal);
        using var stream = new MemoryStream();
        using var output = new ManagedOutputStream(stream, leaveOpen: true);
        using var properties = new WriterPropertiesBuilder().Compression(Compression.Zstd)
            .DisableStatistics("unseen").Build();
        using (var file = new ParquetFileWriter(output,
        [
            new Column<long>("id"), new Column<string?>("name"), new Column<int?>("n"),
            new Column<DateTime?>("seen_at", LogicalType.Timestamp(true, TimeUnit.Micros)), new Column<double?>("x"),
            new Column<long?>("unseen"), new Column<string>("filler"),
        ], properties))
        {
            for (var group = 0; group < Groups; group++)
            {
                var isEmpty = random.Next(4) == 0;
                using var rows = file.AppendRowGroup();
                Write(rows, row => (long)((group * RowsEach) + row));
                Write(rows, row => isEmpty ? null : names[(group * RowsEach) + row]);
                Write<int?>(rows, _ => isEmpty ? null : Perhaps(random.Next(Values) - 3));
                Write<DateTime?>(rows, _ => Perhaps(Start.AddMicroseconds(random.Next(Values * 500))));
                Write<double?>(rows, _ => Perhaps(Of(Numbers)));
                Write<long?>(rows, _ => Perhaps(random.NextInt64(Values)));
                Write(rows, _ => Convert.ToHexString(random.GetItems(AnyByte, FillerBytes)));
            }

            file.Close();
        }

        return stream.ToArray();

        T Of<T>(T[] values) => values[random.Next(values.Length)];
        T? Perhaps<T>(T value) where T : struct => random.Next(5) == 0 ? null : value;
    }

    private static readonly byte[] AnyByte = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];

    private static void Write<T>(RowGroupWriter rows, Func<int, T> valueOf)
    {
        using var column = rows.NextColumn().LogicalWriter<T>();
        column.WriteBatch([.. Enumerable.Range(0, RowsEach).Select(valueOf)]);
    }
}
