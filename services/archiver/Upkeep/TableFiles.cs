using System.Globalization;
using Millrace.Archiver.Files;
using Millrace.Archiver.Rewriting;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.ObjectStore;

namespace Millrace.Archiver.Upkeep;

/// <summary>Reads and writes the table's files for those who put rows into other files.</summary>
internal sealed class TableFiles(IObjectStore store)
{
    /// <summary>All rows of the files. AR-0008 when one is not there.</summary>
    public async ValueTask<RowSet> ReadAsync(
        ArchiveTable archive, DeltaSnapshot snapshot, IEnumerable<AddFile> files, CancellationToken ct,
        bool withStatistics = false)
    {
        var rows = new RowSet(snapshot.Schema);
        foreach (var file in files)
        {
            var key = archive.Table.KeyOf(file);
            var content = await store.GetAsync(key, ct).ConfigureAwait(false)
                ?? throw ArchiverErrors.FileMissing.With(key).AsException();
            rows.Append(content, withStatistics);
        }

        return rows;
    }

    /// <summary>Writes the file, which no table knows yet.</summary>
    public async ValueTask<AddFile> WriteAsync(
        ArchiveTable archive, EncodedFile file, DateTimeOffset at, bool dataChange, CancellationToken ct)
    {
        var add = file.ToAction(at, dataChange);
        await store.PutAsync(archive.Table.KeyOf(add), file.Content, ct).ConfigureAwait(false);
        return add;
    }

    /// <summary>The enqueued hour that the file's rows are of.</summary>
    public static DateTimeOffset HourOf(AddFile file) => new DateTimeOffset(
        DateOnly.ParseExact(file.PartitionValues["date"], "yyyy-MM-dd", CultureInfo.InvariantCulture),
        TimeOnly.MinValue, TimeSpan.Zero).AddHours(
            int.Parse(file.PartitionValues["hour"], CultureInfo.InvariantCulture));
}
