namespace Millrace.Archiver.Verification;

/// <summary>
/// Offsets of one partition that the table has passed and the log has no more, and what the table alone tells of them:
/// it took in one record after the other, so each is a row, once, or a dead letter, or was taken out.
/// </summary>
/// <param name="rowBeforeMs">When the row right before these was accepted; null when there is none.</param>
internal sealed class TrimmedStretch(
    ArchiveTable archive, int partition, long from, long to, long? rowBeforeMs, Expectation expectation)
{
    /// <summary>The clocks of those who accept messages differ by less.</summary>
    private const long ClocksDifferByMs = 3_600_000;

    private const long NoRow = long.MinValue;

    private readonly long[] _acceptedAtMs = [.. Enumerable.Repeat(NoRow, (int)(to - from))];
    private readonly long _erasedUpTo = expectation.ErasedUpTo;
    private readonly Findings _wrong = new();
    private long _rows, _doubled, _different, _notErased;

    /// <summary>Offsets before the first row of the table.</summary>
    public static Verification WithoutRows(ArchiveTable archive, int partition, long from, long to) => new(
        archive.Name, partition, from, to, 0, 0, Stretch.Text(0), Stretch.Text(0), 0, 0, 0, 0, 0,
        Trimmed: to - from, Unaccounted: to - from, 0, 0, 0, 0, 0, []);

    /// <param name="defect">What is wrong with the row by itself.</param>
    public void AddRow(long offset, long acceptedAtMs, ReadOnlySpan<byte> device, string? defect)
    {
        _rows++;
        if (_acceptedAtMs[offset - from] != NoRow) _wrong.Add(ref _doubled, "doubled", offset);
        else if (expectation.ByErasure(device, offset) == Expected.Erased)
            _wrong.Add(ref _notErased, "not erased", offset);
        else if (defect is not null) _wrong.Add(ref _different, defect, offset);
        _acceptedAtMs[offset - from] = acceptedAtMs;
    }

    /// <summary>The result, when the dead letters of records that were not found are known.</summary>
    public async ValueTask<Verification> ResultAsync(Func<long, ValueTask<bool>> isDeadLettered)
    {
        var (missing, lettered, unaccounted) = (0L, 0L, 0L);
        var before = rowBeforeMs;
        for (var offset = from; offset < to; offset++)
        {
            if (_acceptedAtMs[offset - from] is not NoRow and var acceptedAtMs) before = acceptedAtMs;
            else if (!IsRow(offset, before)) unaccounted++;
            else if (await isDeadLettered(offset).ConfigureAwait(false)) lettered++;
            else _wrong.Add(ref missing, "missing", offset);
        }

        return new Verification(
            archive.Name, partition, from, to, 0, _rows, Stretch.Text(0), Stretch.Text(0), lettered, 0, 0, 0, 0,
            Trimmed: to - from, unaccounted, missing, _doubled, _different, 0, _notErased, _wrong.Examples);
    }

    /// <summary>
    /// Whether it is certain that the offset had a row that nobody took out: that of telemetry, behind one that the
    /// table has, which retention is an hour and more away from, and before which no device was erased.
    /// </summary>
    private bool IsRow(long offset, long? beforeMs) => archive.Output is null && offset >= _erasedUpTo
        && beforeMs >= expectation.RetainedFromMs + ClocksDifferByMs;
}
