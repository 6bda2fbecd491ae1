using System.Buffers.Binary;
using System.Diagnostics.Metrics;
using System.Text;
using Millrace.Cql;
using Millrace.Primitives;
using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Tests.Connection;

public class StoredRowsTests
{
    private static readonly Column Device = new("hub", "things", "device", new CqlType(CqlTypeCode.Text));
    private static readonly Column Number = new("hub", "things", "number", new CqlType(CqlTypeCode.Int));
    private static readonly Column Limit = new("hub", "things", "[limit]", new CqlType(CqlTypeCode.Int));
    private static readonly Column Topic = new("hub", "things", "topic", new CqlType(CqlTypeCode.Blob));

    [Test]
    public void A_row_that_can_be_read_is_what_it_says() => Assert.That(
        Row([Device, Number], "d"u8.ToArray(), [0, 0, 0, 7]).Read(row => row.Get<int>(1), [Device], ["d"]),
        Is.EqualTo(7));

    [TestCase(null, TestName = "Of null where there is none")]
    [TestCase(new byte[] { 1, 2 }, TestName = "Of bytes that are no number")]
    public void What_its_column_does_not_hold_is_told_with_the_table_and_the_rows_own_key(byte[]? number)
    {
        var row = Row([Device, Number], Encoding.UTF8.GetBytes("it's"), number);

        var error = Refused(() => row.Read(r => r.Get<int>(1), [Topic, Device, Device, Number, Limit],
            [new byte[] { 0xAB }, "from", "to", 5, 100]));

        Assert.That(error.Definition, Is.EqualTo(StoreErrors.RowDamaged));
        Assert.That(error.Value, Does.StartWith("things: topic = 0xab, device = 'it''s'").And.Not.Contain("100"));
        Assert.That(error.Detail, Does.StartWith("CQ-9009"));
    }

    [Test]
    public void What_the_store_cannot_have_written_is_damaged_too()
    {
        var row = Row([Device, Topic], "d"u8.ToArray(), [1]);

        Assert.That(Refused(() => row.Read(r => r.Bytes(1)[8], "device")).Value, Is.EqualTo("things: device = 'd'"));
    }

    [Test]
    public void What_has_a_code_of_its_own_keeps_it()
    {
        var row = Row([Device], "d"u8.ToArray());

        Assert.That(Refused(() => row.Read<int>(_ => throw StoreErrors.SchemaNewer.With("d").AsException(), [], []))
            .Definition, Is.EqualTo(StoreErrors.SchemaNewer));
    }

    [Test]
    public void One_that_is_damaged_is_counted()
    {
        var counted = new List<object?>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (found, self) =>
        {
            if (found.Name == "millrace.stores.failures") self.EnableMeasurementEvents(found);
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            lock (counted) counted.Add(tags[0].Value);
        });
        listener.Start();

        Refused(() => Row([Number], [null]).Read(row => row.Get<int>(0), [], []));

        Assert.That(counted, Has.Member("ST-0012"));
    }

    private static Row Row(Column[] columns, params byte[]?[] cells)
    {
        var (body, starts) = (new MemoryStream(), new List<int>());
        var length = new byte[4];
        foreach (var cell in cells)
        {
            starts.Add((int)body.Length);
            BinaryPrimitives.WriteInt32BigEndian(length, cell?.Length ?? -1);
            body.Write(length);
            body.Write(cell);
        }

        return new RowSet(columns, 1, body.ToArray(), [.. starts])[0];
    }

    private static Error Refused<T>(Func<T> read) => Assert.Throws<MillraceException>(() => read())!.Error;
}
