using CsCheck;
using Millrace.Batch.DuckDb.Cache;
using Millrace.Delta.Log;
using Millrace.Delta.Pruning;
using ParquetSharp;
using ParquetSharp.IO;

namespace Millrace.Batch.Tests;

/// <summary>What is read of footers that another library wrote, and files that are made of one row group.</summary>
public sealed class ParquetFooterTests
{
    private const int ByteArray = 6;
    private const int Utf8 = 0;

    private static readonly DateTime Noon = new(2026, 11, 22, 12, 0, 0, DateTimeKind.Utc);

    private static readonly string[][] Devices =
        [["device-1", "device-2", "device-2"], ["device-3", "d\u00e4vice", "e"], ["f", "g", new string('h', 5_000)]];

    private readonly byte[] _file = Write();

    private static IEnumerable<int> Numbers => Enumerable.Range(0, Devices.Length);

    [Test]
    public void It_says_where_the_columns_of_a_row_group_are_and_what_they_hold()
    {
        var groups = Footer().Groups;

        Assert.That(groups.Select(group => group.Rows), Is.EqualTo(new[] { 3, 3, 3 }));
        Assert.That(groups.SelectMany(group => group.Columns).Select(column => column.Bytes),
            Is.Ordered.By(nameof(ByteRange.From)).And.All.Matches<ByteRange>(range => range.To > range.From));
        Assert.That(groups[1].Columns.Select(column => column.Name),
            Is.EqualTo(new[] { "device_id", "at", "n", "x", "bare", "tags" }));
        Assert.That(Stats(groups[0]), Is.EqualTo(new (string, object?, object?)[]
        {
            ("device_id", "device-1", "device-2"),
            ("at", "2026-11-22T12:00:00.0000000+00:00", "2026-11-22T12:00:02.0000020+00:00"),
            ("n", -1L, 1L), ("x", 0.5, null), ("bare", null, null),
        }));
        Assert.That(Stats(groups[1])[2..4], Is.EqualTo(new (string, object?, object?)[]
        {
            ("n", null, null), ("x", null, null),
        }), "it has none but nulls, and what is no number");
        Assert.That(Stats(groups[2])[0], Is.EqualTo(("device_id", (object?)"f", (object?)null)), "too long");
    }

    [TestCaseSource(nameof(Numbers))]
    public void A_file_of_one_row_group_has_its_rows_and_no_others(int number)
    {
        var footer = Footer();
        var data = _file.AsSpan(0, (int)(_file.Length - ParquetFooter.LengthIn(_file)));
        using var stream = new MemoryStream([.. data, .. footer.Only(footer.Groups[number])]);
        using var file = new ParquetFileReader(stream);

        Assert.That((file.FileMetaData.NumRowGroups, file.FileMetaData.NumRows), Is.EqualTo((1, 3L)));
        using var group = file.RowGroup(0);
        using var column = group.Column(0).LogicalReader<string>();
        Assert.That(column.ReadAll(3), Is.EqualTo(Devices[number]));
    }

    [TestCase("device-0", "device-1", "device-0417", true, Description = "cut, and the greatest one more")]
    [TestCase("device-0", "device-1", "device-2", false)]
    [TestCase("d\u00c3", "e", "a", true, Description = "what is beyond ASCII is not certain")]
    public void A_text_that_was_cut_still_tells(string least, string greatest, string device, bool mayHold)
    {
        var leaf = new ParquetLeaf(ByteArray, Utf8);
        var stats = new FileStats(1,
        [
            new("device_id", leaf.Least(System.Text.Encoding.Latin1.GetBytes(least)),
                leaf.Greatest(System.Text.Encoding.Latin1.GetBytes(greatest)), null),
        ]);

        Assert.That(stats.MayHold([ColumnRange.Of("device_id", device)]), Is.EqualTo(mayHold));
    }

    [Test]
    public void What_is_no_footer_is_an_error_and_nothing_worse()
    {
        var footer = _file[^(int)ParquetFooter.LengthIn(_file)..];
        Gen.Select(Gen.Int[0, footer.Length - 9], Gen.Byte, Gen.Int[0, 60]).Sample((at, value, cut) =>
        {
            var damaged = footer.ToArray();
            damaged[at] = value;
            try
            {
                var read = ParquetFooter.Read(damaged.AsSpan(0, damaged.Length - cut));
                foreach (var group in read.Groups) read.Only(group);
                return true;
            }
            catch (InvalidDataException)
            {
                return true;
            }
        }, iter: 20_000);
        Assert.That(() => ParquetFooter.LengthIn("PAR1"u8), Throws.InstanceOf<InvalidDataException>());
        Assert.That(() => ParquetFooter.LengthIn("0000PARE"u8), Throws.InstanceOf<InvalidDataException>());
    }

    private ParquetFooter Footer() => ParquetFooter.Read(_file.AsSpan(^(int)ParquetFooter.LengthIn(_file)..));

    private static (string, object?, object?)[] Stats(RowGroup group) =>
        [.. group.Stats.Columns.Select(column => (column.Column, column.Min, column.Max))];

    private static byte[] Write()
    {
        using var stream = new MemoryStream();
        using var output = new ManagedOutputStream(stream, leaveOpen: true);
        using var properties = new WriterPropertiesBuilder().DisableStatistics("bare").Build();
        using (var file = new ParquetFileWriter(output,
        [
            new Column<string>("device_id"),
            new Column<DateTime>("at", LogicalType.Timestamp(true, TimeUnit.Micros)), new Column<int?>("n"),
            new Column<double>("x"), new Column<long>("bare"), new Column<string[]>("tags"),
        ], properties))
        {
            for (var number = 0; number < Devices.Length; number++)
            {
                using var group = file.AppendRowGroup();
                Add(group, Devices[number]);
                Add(group, [Noon, Noon.AddSeconds(1), Noon.AddSeconds(2).AddMicroseconds(2)]);
                Add<int?>(group, number == 1 ? [null, null, null] : [1, null, -1]);
                Add<double>(group, number == 1 ? [double.NaN, double.NaN, double.NaN] : [2, double.NaN, 0.5]);
                Add(group, [1L, 2L, 3L]);
                Add<string[]>(group, [["a"], [], ["b", "c"]]);
            }

            file.Close();
        }

        return stream.ToArray();
    }

    private static void Add<T>(RowGroupWriter group, T[] values)
    {
        using var column = group.NextColumn().LogicalWriter<T>();
        column.WriteBatch(values);
    }
}
