using System.Text.Json;
using Millrace.Contracts;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Checkpoints;

namespace Millrace.Stores.Cassandra.Checkpoints;

/// <summary>
/// Marks, numbered in the order in which they were added. Those of a source come and go as long as the query lives, so
/// they leave nothing behind: they have no cells that are null, and go by ranges of which a later one covers the
/// earlier, where a tombstone for each would make the partition unreadable.
/// </summary>
internal sealed partial class CassandraCheckpointStore
{
    private static readonly StoreStatement InsertMark = new("UPDATE checkpoints SET mark_sequence = ?, topic = ?, "
        + $"input_part = ?, log_offset = ?, arrival = ? WHERE {Key} AND id = ? IF epoch <= ? AND mark_sequence = ?");
    private static readonly StoreStatement InsertLetter = new("UPDATE checkpoints SET mark_sequence = ?, topic = ?, "
        + "input_part = ?, log_offset = ?, arrival = 0, number = ?, letter_id = ?, letter = ? "
        + $"WHERE {Key} AND id = ? IF epoch <= ? AND mark_sequence = ?");
    private static readonly StoreStatement SelectMarks =
        new($"SELECT {MarkRow.Fields} FROM checkpoints WHERE {Key}");
    private static readonly StoreStatement SelectLetters =
        new($"SELECT {MarkRow.Fields}, letter FROM checkpoints WHERE {Key}");
    private static readonly StoreStatement DeleteMarks =
        new($"DELETE FROM checkpoints WHERE {Key} AND id > ? AND id <= ?");
    private static readonly StoreStatement CoverMark =
        new($"UPDATE checkpoints SET covered = true, letter = null WHERE {Key} AND id = ?");
    private static readonly StoreStatement RefuseMark = new(
        $"UPDATE checkpoints SET letter_id = null, letter = null WHERE {Key} AND id = ? IF letter_id = ?");

    public async ValueTask<bool> AddMarkAsync(CheckpointKey key, long epoch, TimeMark mark, CancellationToken ct)
    {
        while (true)
        {
            // The head first: what is changed after it was read makes this fail and look again.
            var head = await HeadAsync(key, ct).ConfigureAwait(false);
            if (head.Epoch is not { } current || current > epoch) return false;
            var marks = await MarkRowsAsync(key, ct).ConfigureAwait(false);
            var last = marks.FindLast(row => row.Input == mark.Input);
            var (id, arrival) = last is not null && mark.Replaces(last.Mark(null))
                ? (last.Id, Math.Max(last.ArrivalMs, mark.ArrivalMs))
                : (head.NextMark, mark.ArrivalMs);
            var added = await database.RunAsync(InsertMark, ct, head.NextMark, mark.Input.Topic, mark.Input.Partition,
                mark.Offset, arrival, key.Query, key.Version, key.Partition, id, epoch, head.MarkSequence)
                .ConfigureAwait(false);
            if (added.Applied) return true;
        }
    }

    public async ValueTask<LateOutcome> AddLateAsync(
        CheckpointKey key, long epoch, TopicPartition input, long offset, DeadLetter letter, CancellationToken ct)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(letter, ContractJson.Default.DeadLetter);
        while (true)
        {
            // The head first, as for a mark.
            var head = await HeadAsync(key, ct).ConfigureAwait(false);
            if (head.Epoch is not { } current || current > epoch) return LateOutcome.Stale;
            var marks = await MarkRowsAsync(key, ct).ConfigureAwait(false);
            if (marks.Exists(mark => mark.LetterId == letter.Id)) return LateOutcome.Known;
            var number = 1 + marks.Count(mark => mark.Input == input && mark.Number is not null);
            var added = await database.RunAsync(InsertLetter, ct, head.NextMark, input.Topic, input.Partition, offset,
                number, letter.Id, bytes, key.Query, key.Version, key.Partition, head.NextMark, epoch,
                head.MarkSequence).ConfigureAwait(false);
            if (added.Applied) return LateOutcome.Added;
        }
    }

    public async ValueTask RefuseLateAsync(CheckpointKey key, string letterId, CancellationToken ct)
    {
        var marks = await MarkRowsAsync(key, ct).ConfigureAwait(false);
        if (marks.Find(mark => mark.LetterId == letterId) is not { } refused) return;
        await database.RunAsync(RefuseMark, ct, key.Query, key.Version, key.Partition, refused.Id, letterId)
            .ConfigureAwait(false);
    }

    public async ValueTask<IReadOnlyList<InputMark>> MarksAsync(CheckpointKey key, CancellationToken ct)
    {
        // What a node has missed may bring back a mark that went.
        var inputs = (await HeadAsync(key, ct).ConfigureAwait(false)).Saved?.Offsets.Inputs ?? [];
        var rows = await database.ListAsync(SelectLetters,
            row => MarkRow.Read(row) is { IsCovered: false } mark && !mark.IsPassed(inputs)
                ? mark.Mark(row.Get<byte[]?>(8))
                : null, ct, key.Query, key.Version, key.Partition).ConfigureAwait(false);
        return [.. rows.OfType<InputMark>()];
    }

    /// <summary>
    /// Lets go what the inputs have passed. Of a late letter the identity stays, so that it is taken once.
    /// </summary>
    private async ValueTask CoverAsync(
        BatchStatement batch, CheckpointKey key, IReadOnlyList<PartitionOffset> inputs, CancellationToken ct)
    {
        var marks = await MarkRowsAsync(key, ct).ConfigureAwait(false);
        foreach (var (after, last) in MarkRow.Passed(marks, inputs))
            await ForgetMarksAsync(batch, key, after, last, ct).ConfigureAwait(false);
        foreach (var letter in marks.Where(mark => mark is { Number: not null, IsCovered: false }))
        {
            if (!letter.IsPassed(inputs)) continue;
            batch.Add(await database.BindAsync(CoverMark, ct, key.Query, key.Version, key.Partition, letter.Id)
                .ConfigureAwait(false));
        }
    }

    /// <summary>Those behind the one, up to the other.</summary>
    private async ValueTask ForgetMarksAsync(
        BatchStatement batch, CheckpointKey key, long after, long last, CancellationToken ct) =>
        batch.Add(await database.BindAsync(DeleteMarks, ct, key.Query, key.Version, key.Partition, after, last)
            .ConfigureAwait(false));

    private async ValueTask<List<MarkRow>> MarkRowsAsync(CheckpointKey key, CancellationToken ct)
    {
        var rows = await database.ListAsync(SelectMarks, MarkRow.Read, ct, key.Query, key.Version, key.Partition)
            .ConfigureAwait(false);
        return [.. rows.OfType<MarkRow>()];
    }
}
