using System.Text;
using Millrace.Archiver.Upkeep;
using Millrace.Contracts;
using Millrace.Delta;

namespace Millrace.Archiver.Verification;

/// <summary>
/// What the archive should have of a partition's records, which are shown to it in their order: those of an output from
/// the log's first on, because who owns the partition is told by what came before.
/// </summary>
internal sealed class Expectation(ArchiveTable archive, DeltaSnapshot snapshot, TopicPartition source, bool isWhole)
{
    private readonly long _retainedFromMs =
        (RetentionRecord.KeptFrom(snapshot, archive.Table.Root) ?? DateTimeOffset.MinValue).ToUnixTimeMilliseconds();

    private readonly Dictionary<string, (long Begun, long Done)> _erased =
        ArchiveRecords.ErasedIn(snapshot, source.Partition);

    private readonly EpochFence? _fence = archive.Output is null ? null : new EpochFence(null);

    /// <summary>Rows of earlier hours were removed for their age.</summary>
    public long RetainedFromMs => _retainedFromMs;

    /// <summary>Rows before this offset may have been those of a device that was erased.</summary>
    public long ErasedUpTo => _erased.Values.Select(upTo => upTo.Begun).DefaultIfEmpty(0).Max();

    public Expected Of(RecordView record)
    {
        if (_fence?.Admits(record) == false) return Expected.Fenced;
        if (record.TimestampMs < _retainedFromMs) return Expected.Retired;
        var expected = record.HasKey ? ByErasure(record.Key, record.Offset) : Expected.Row;
        return expected == Expected.Row && _fence is not null && IsDoubtful(record) ? Expected.Doubtful : expected;
    }

    /// <summary>Row, or that it is erased or being erased.</summary>
    public Expected ByErasure(ReadOnlySpan<byte> device, long offset)
    {
        if (_erased.Count == 0 || !_erased.TryGetValue(ArchiveRecords.HashOf(device), out var upTo))
            return Expected.Row;
        if (offset < upTo.Done) return Expected.Erased;
        return offset < upTo.Begun ? Expected.Erasing : Expected.Row;
    }

    /// <summary>
    /// Whether the archive may have seen a higher epoch of the row's owner in what the log does not have any more.
    /// </summary>
    private bool IsDoubtful(RecordView record)
    {
        if (isWhole || !record.TryGetHeader(OutputHeaders.Query, out var query)) return false;
        var owner = Encoding.UTF8.GetString(query);
        return _fence!.Epochs.TryGetValue(owner, out var epoch)
            && epoch < snapshot.PositionOf(OutputTable.EpochIdOf(source.Partition, owner));
    }
}
