using Millrace.Cql;
using Millrace.Cql.Protocol;
using Millrace.Stores.Cassandra.Telemetry;

namespace Millrace.Stores.Cassandra.Tests.Telemetry;

public class PartitionBatchesTests
{
    private const int Limit = 32 << 10;

    private readonly PreparedStatement _insert = new("INSERT INTO ks.t(body) VALUES(?)", new PreparedResult(
        new byte[16], [new Column("ks", "t", "body", new CqlType(CqlTypeCode.Blob))], [], new ResultMetadata([], [])));

    [Test]
    public void A_batch_is_closed_before_a_row_that_would_take_it_past_its_bytes()
    {
        var batches = new PartitionBatches<int>(Limit);
        foreach (var size in new[] { 31 << 10, 1 << 20, 10 << 10, 10 << 10, 10 << 10, 10 << 10 })
            batches.Add(1, _insert.Bind(new byte[size]));
        var taken = batches.Take().Cast<BatchStatement>().ToList();

        Assert.That(taken.Select(batch => batch.Count), Is.EqualTo(new[] { 1, 1, 3, 1 }));
        Assert.That(taken.Count(batch => batch.Bytes > Limit), Is.EqualTo(1), "the row that is larger");
        Assert.That(batches.Take(), Is.Empty);
    }

    [Test]
    public void Each_partition_has_batches_of_its_own_and_no_row_is_left_out()
    {
        var batches = new PartitionBatches<int>(Limit);
        for (var i = 0; i < 1_000; i++) batches.Add(i % 3, _insert.Bind(new byte[i]));
        var taken = batches.Take().Cast<BatchStatement>().ToList();

        Assert.That(taken.Sum(batch => batch.Count), Is.EqualTo(1_000));
        Assert.That(taken.Select(batch => batch.Bytes), Is.All.LessThanOrEqualTo(Limit));
        Assert.That(taken, Has.Count.InRange(1_000 * 500 / Limit, (1_000 * 600 / Limit) + 6));
    }

    [Test]
    public void A_statement_tells_what_it_adds_to_a_batch()
    {
        var bound = _insert.Bind(new byte[100]);
        var bytes = bound.Bytes;

        Assert.That(BatchStatement.Rent().Add(bound).Bytes, Is.EqualTo(bytes));
    }
}
