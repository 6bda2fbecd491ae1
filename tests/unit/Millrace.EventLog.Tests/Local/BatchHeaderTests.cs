using CsCheck;
using Millrace.EventLog.Local;

namespace Millrace.EventLog.Tests.Local;

public class BatchHeaderTests
{
    /// <summary>The bytes on disk: what was written by an older version must be read by a newer one.</summary>
    [Test]
    public void A_batch_header_has_these_bytes()
    {
        var bytes = new byte[BatchHeader.Size];
        var header = new BatchHeader(FirstOffset: 258, MaxTimestampMs: 1_700_000_000_123, Count: 3, Bytes: 77);
        header.Write(bytes, salt: 42);
        Assert.That(Convert.ToHexString(bytes), Is.EqualTo(
            "4D524231" + "ED35E2A9" + "0201000000000000" + "7B68E5CF8B010000" + "03000000" + "4D000000"));
    }

    [Test]
    public void A_segment_header_has_these_bytes()
    {
        var bytes = new byte[SegmentHeader.Size];
        new SegmentHeader(FirstOffset: 258, MadeAtMs: 1_700_000_000_123, Salt: 42).Write(bytes);
        Assert.That(Convert.ToHexString(bytes), Is.EqualTo(
            "4D52534547303031" + "0201000000000000" + "7B68E5CF8B010000" + "2A00000000000000"
            + "00000000" + "8CA363E8"));
    }

    [Test]
    public void What_was_written_is_read_under_the_same_salt_and_no_other() =>
        Gen.Select(Gen.Long[0, long.MaxValue], Gen.Long, Gen.Int[1, int.MaxValue], Gen.Int[1, int.MaxValue], Gen.ULong)
            .Sample((offset, time, count, size, salt) =>
            {
                var header = new BatchHeader(offset, time, count, size);
                Span<byte> bytes = stackalloc byte[BatchHeader.Size];
                header.Write(bytes, salt);
                return BatchHeader.TryRead(bytes, salt, out var read) && read == header
                    && !BatchHeader.TryRead(bytes, salt + 1, out _)
                    && !BatchHeader.TryRead(bytes[..^1], salt, out _);
            });
}
