namespace Millrace.Archiver.Verification;

/// <summary>How a stretch of a log partition and the rows of it in a table of the archive compare.</summary>
/// <param name="Table">The table, as statements name it.</param>
/// <param name="From">The first offset that was compared.</param>
/// <param name="To">The offset after the last.</param>
/// <param name="LogRecords">Records of the log in between.</param>
/// <param name="ArchiveRows">Rows of the archive in between.</param>
/// <param name="LogChecksum">Of the records that the archive should have.</param>
/// <param name="ArchiveChecksum">Of the rows that it has; equal when nothing is wrong.</param>
/// <param name="DeadLettered">Records that are no rows, and of which there is a dead letter.</param>
/// <param name="Retired">Records whose hour was removed for its age.</param>
/// <param name="Erased">Records of devices that were erased.</param>
/// <param name="Fenced">Of a query's output: fences, and what owners wrote after they had been taken over.</param>
/// <param name="Undecided">
/// Of a query's output: records of which it is not known any more, because the log was trimmed, whether their owner had
/// been taken over; they are right as rows and right as none.
/// </param>
/// <param name="Trimmed">
/// Offsets that the table has passed and the log has no more: what their rows say cannot be compared, and whether they
/// are there only where the table itself tells.
/// </param>
/// <param name="Unaccounted">Those of them that have no row, where the table does not tell whether they should.</param>
/// <param name="Missing">Records that the archive should have and has not.</param>
/// <param name="Doubled">Rows that are there more than once.</param>
/// <param name="Different">
/// Rows that say something else than their record, have a promoted value that is not their body's, or are beyond what
/// the table says of their file, or the file of their row group, so that readers pass over them.
/// </param>
/// <param name="Unknown">Rows without a record.</param>
/// <param name="NotErased">Rows that an erasure says are gone.</param>
/// <param name="Examples">Some of what is wrong, with the offset.</param>
internal sealed record Verification(
    string Table, int Partition, long From, long To, long LogRecords, long ArchiveRows, string LogChecksum,
    string ArchiveChecksum, long DeadLettered, long Retired, long Erased, long Fenced, long Undecided, long Trimmed,
    long Unaccounted, long Missing, long Doubled, long Different, long Unknown, long NotErased,
    IReadOnlyList<string> Examples)
{
    public bool Holds => Missing + Doubled + Different + Unknown + NotErased == 0;
}
