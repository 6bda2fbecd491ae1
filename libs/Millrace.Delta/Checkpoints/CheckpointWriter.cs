using Millrace.Delta.Log;
using ParquetSharp;
using ParquetSharp.IO;

namespace Millrace.Delta.Checkpoints;

/// <summary>Writes a table's state as the Parquet file that the protocol calls a classic checkpoint.</summary>
internal static class CheckpointWriter
{
    /// <param name="removedSinceMs">Files that were removed before are forgotten: nobody may need them any
    /// more.</param>
    /// <returns>The file, and how many actions it has.</returns>
    public static (ReadOnlyMemory<byte> Content, int Actions) Write(DeltaSnapshot snapshot, long removedSinceMs)
    {
        var rows = RowsOf(snapshot, removedSinceMs);
        var content = new MemoryStream();
        using var schema = CheckpointSchema.Build();
        using var properties = PropertiesOf();
        using (var stream = new ManagedOutputStream(content, leaveOpen: true))
        using (var file = new ParquetFileWriter(stream, schema, properties))
        {
            using (var group = file.AppendBufferedRowGroup())
            {
                var column = 0;
                foreach (var leaf in rows.Leaves) leaf.WriteTo(group.Column(column++));
                group.Close();
            }

            file.Close();
        }

        GC.KeepAlive(rows);
        return (content.GetBuffer().AsMemory(0, (int)content.Length), rows.Count);
    }

    private static CheckpointRows RowsOf(DeltaSnapshot snapshot, long removedSinceMs)
    {
        var rows = new CheckpointRows();
        rows.Add(new Protocol(SnapshotBuilder.ReaderVersion, SnapshotBuilder.WriterVersion));
        rows.Add(snapshot.Metadata);
        foreach (var transaction in snapshot.Transactions.Values.OrderBy(t => t.AppId, StringComparer.Ordinal))
            rows.Add(transaction);
        foreach (var file in snapshot.Files.Values.OrderBy(f => f.Path, StringComparer.Ordinal)) rows.Add(file);
        foreach (var file in snapshot.Removed.Values.OrderBy(f => f.Path, StringComparer.Ordinal))
        {
            if (file.DeletionTimestampMs >= removedSinceMs) rows.Add(file);
        }

        return rows;
    }

    private static WriterProperties PropertiesOf()
    {
        using var builder = new WriterPropertiesBuilder();
        return builder.Compression(Compression.Snappy).CreatedBy("Millrace").Build();
    }
}
