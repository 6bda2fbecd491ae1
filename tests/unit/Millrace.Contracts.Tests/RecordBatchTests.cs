using System.Text;
using CsCheck;

namespace Millrace.Contracts.Tests;

public class RecordBatchTests
{
    private static readonly TopicPartition Partition = new("telemetry", 1);

    /// <summary>The bytes on disk: what was written by an older version must be read by a newer one.</summary>
    [Test]
    public void A_record_has_these_bytes()
    {
        using var builder = new RecordBatchBuilder();
        builder.Begin(1_700_000_000_123, "dev"u8);
        builder.AddHeader("h"u8, "v1"u8);
        builder.AddHeader("app."u8, "x"u8, ""u8);
        builder.End("{}"u8);
        builder.Begin(-1, default, hasKey: false);
        builder.End(default);

        Assert.That(Convert.ToHexString(builder.Bytes.Span), Is.EqualTo(
            "2F000000" + "671B7B05" + "7B68E5CF8B010000" + "03000000" + "0200" + "02000000" + "646576"
            + "0100" + "02000000" + "68" + "7631"
            + "0500" + "00000000" + "6170702E78"
            + "7B7D"
            + "16000000" + "6538496A" + "FFFFFFFFFFFFFFFF" + "FFFFFFFF" + "0000" + "00000000"));
    }

    [Test]
    public void What_was_built_is_what_is_read() => Records.Array[0, 8].Sample(records =>
    {
        using var builder = new RecordBatchBuilder(16);
        foreach (var record in records) record.AddTo(builder);
        Assert.That(builder.Count, Is.EqualTo(records.Length));

        var batch = new RecordBatch(Partition, 100, builder.Count, builder.Bytes);
        var i = 0;
        foreach (var view in batch)
        {
            Assert.That(view.Offset, Is.EqualTo(100 + i));
            records[i++].AssertIs(view);
        }

        Assert.That(i, Is.EqualTo(records.Length));
        Assert.That(batch.NextOffset, Is.EqualTo(100 + records.Length));
    });

    [Test]
    public void A_check_accepts_a_whole_record_asks_for_more_of_a_cut_one_and_rejects_a_changed_one() =>
        Gen.Select(Records, Gen.Int[0, 1 << 20], Gen.Int[0, 7]).Sample((record, place, bit) =>
        {
            using var builder = new RecordBatchBuilder();
            record.AddTo(builder);
            var bytes = builder.Bytes.ToArray();
            Assert.That(RecordView.Check(bytes), Is.EqualTo(bytes.Length));
            Assert.That(RecordView.Check([.. bytes, 1, 2, 3]), Is.EqualTo(bytes.Length), "whatever follows");
            Assert.That(RecordView.Check(bytes.AsSpan(0, place % bytes.Length)), Is.Zero);

            // A changed length may ask for more; anything else that changed must be seen.
            bytes[place % bytes.Length] ^= (byte)(1 << bit);
            Assert.That(RecordView.Check(bytes), place % bytes.Length < 4 ? Is.LessThanOrEqualTo(0) : Is.EqualTo(-1));
        });

    [Test]
    public void Of_headers_of_one_name_the_last_wins()
    {
        using var builder = new RecordBatchBuilder();
        builder.Begin(1, default);
        builder.AddHeader("a"u8, "1"u8);
        builder.AddHeader("b"u8, "2"u8);
        builder.AddHeader("a"u8, "3"u8);
        builder.End(default);
        foreach (var record in new RecordBatch(Partition, 0, 1, builder.Bytes))
        {
            Assert.That(record.TryGetHeader("a"u8, out var value), Is.True);
            Assert.That(Encoding.UTF8.GetString(value), Is.EqualTo("3"));
            Assert.That(record.TryGetHeader("c"u8, out _), Is.False);
        }
    }

    [Test]
    public void An_abandoned_record_leaves_nothing()
    {
        using var builder = new RecordBatchBuilder();
        builder.Begin(1, "first"u8);
        builder.End("1"u8);
        var before = builder.Bytes.ToArray();
        builder.Begin(2, "second"u8);
        builder.AddHeader("a"u8, "1"u8);
        builder.Abandon();
        Assert.That(builder.Bytes.ToArray(), Is.EqualTo(before));
        Assert.That(builder.Count, Is.EqualTo(1));
        builder.Abandon();
        Assert.That(builder.Count, Is.EqualTo(1), "nothing was begun");
    }

    [Test]
    public void A_batch_can_be_appended_to_another()
    {
        using var first = new RecordBatchBuilder();
        first.Begin(1, "k"u8);
        first.End("v"u8);
        using var second = new RecordBatchBuilder();
        second.Append(new RecordBatch(Partition, 7, 1, first.Bytes));
        second.Append(new RecordBatch(Partition, 9, 1, first.Bytes));
        Assert.That(second.Count, Is.EqualTo(2));
        Assert.That(second.Bytes.ToArray(), Is.EqualTo((byte[])[.. first.Bytes.Span, .. first.Bytes.Span]));
    }

    private static Gen<Given> Records => Gen.Select(
        Gen.Long, Gen.Byte.Array[0, 20].Null(), Gen.Select(Gen.Byte.Array[0, 10], Gen.Byte.Array[0, 30]).Array[0, 4],
        Gen.Byte.Array[0, 200],
        (timestamp, key, headers, value) => new Given(timestamp, key, headers, value));

    private sealed record Given(long TimestampMs, byte[]? Key, (byte[] Name, byte[] Value)[] Headers, byte[] Value)
    {
        public void AddTo(RecordBatchBuilder builder)
        {
            builder.Begin(TimestampMs, Key, hasKey: Key is not null);
            foreach (var (name, value) in Headers) builder.AddHeader(name, value);
            builder.End(Value);
        }

        public void AssertIs(RecordView view)
        {
            Assert.That(view.TimestampMs, Is.EqualTo(TimestampMs));
            Assert.That(view.HasKey, Is.EqualTo(Key is not null));
            Assert.That(view.Key.ToArray(), Is.EqualTo(Key ?? []));
            Assert.That(view.Value.ToArray(), Is.EqualTo(Value));
            Assert.That(view.HeaderCount, Is.EqualTo(Headers.Length));
            var i = 0;
            foreach (var header in view.Headers)
            {
                Assert.That(header.Name.ToArray(), Is.EqualTo(Headers[i].Name));
                Assert.That(header.Value.ToArray(), Is.EqualTo(Headers[i++].Value));
            }

            Assert.That(i, Is.EqualTo(Headers.Length));
        }
    }
}
