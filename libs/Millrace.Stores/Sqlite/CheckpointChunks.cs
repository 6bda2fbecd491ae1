using Millrace.Stores.Checkpoints;

namespace Millrace.Stores.Sqlite;

/// <summary>The states of checkpoints in chunks, of which only new ones are written.</summary>
internal static class CheckpointChunks
{
    private const int IdBytes = 16;
    private const string Key = "query = ?1 AND version = ?2 AND part = ?3";

    /// <summary>Writes what is not there, lets go what is not of this state; gives what a checkpoint keeps of
    /// it.</summary>
    public static byte[] Save(SqliteSession session, CheckpointKey key, List<StateChunk> chunks)
    {
        var unused = session.List($"SELECT id FROM checkpoint_chunks WHERE {Key}", row => new Guid(row.Bytes(0)),
            key.Query, key.Version, key.Partition).ToHashSet();
        var known = unused.ToHashSet();
        var ids = new byte[chunks.Count * IdBytes];
        foreach (var (number, chunk) in chunks.Index())
        {
            chunk.Id.TryWriteBytes(ids.AsSpan(number * IdBytes));
            unused.Remove(chunk.Id);
            (known.Contains(chunk.Id) ? StoreMetrics.StateKept : StoreMetrics.StateWritten).Add(chunk.Bytes.Length);
            if (!known.Add(chunk.Id)) continue;
            session.Run("INSERT INTO checkpoint_chunks VALUES(?1, ?2, ?3, ?4, ?5)", key.Query, key.Version,
                key.Partition, chunk.Id.ToByteArray(), chunk.Bytes.ToArray());
        }

        foreach (var id in unused)
        {
            session.Run($"DELETE FROM checkpoint_chunks WHERE {Key} AND id = ?4", key.Query, key.Version, key.Partition,
                id.ToByteArray());
        }

        return ids;
    }

    public static byte[] Read(SqliteSession session, CheckpointKey key, byte[] ids)
    {
        var chunks = session.List($"SELECT id, bytes FROM checkpoint_chunks WHERE {Key}",
            row => (Id: new Guid(row.Bytes(0)), Bytes: row.Bytes(1)), key.Query, key.Version, key.Partition)
            .ToDictionary(chunk => chunk.Id, chunk => chunk.Bytes);
        var state = new MemoryStream();
        for (var at = 0; at < ids.Length; at += IdBytes) state.Write(chunks[new Guid(ids.AsSpan(at, IdBytes))]);
        return state.ToArray();
    }
}
