using System.Text.Json;
using Millrace.Contracts;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Checkpoints;

namespace Millrace.Stores.Cassandra.Checkpoints;

/// <summary>Marks, numbered in the order in which they were added.</summary>
internal sealed partial class CassandraCheckpointStore
{
    private static readonly StoreStatement InsertMark = new("UPDATE checkpoints SET mark_sequence = ?, topic = ?, "
        + "input_part = ?, log_offset = ?, arrival = ?, number = ?, letter_id = ?, letter = ? "
        + $"WHERE {Key} AND id = ? IF epoch <= ? AND mark_sequence = ?");
    private static readonly StoreStatement SelectMarks =
        new($"SELECT {MarkRow.Fields} FROM checkpoints WHERE {Key}");
    private static readonly StoreStatement SelectLetters =
        new($"SELECT {MarkRow.Fields}, letter FROM checkpoints WHERE {Key}");
    private static readonly StoreStatement DeleteMark = new($"DELETE FROM checkpoints WHERE {Key} AND id = ?");
    private static readonly StoreStatement CoverMark =
        new($"UPDATE checkpoints SET covered = true, letter = null WHERE {Key} AND id = ?");
    private static readonly StoreStatement RefuseMark = new(
        $"UPDATE checkpoints SET letter_id = null, letter = null WHERE {Key} AND id = ? IF letter_id = ?");

    public async ValueTask<bool> AddMarkAsync(CheckpointKey key, long epoch, TimeMark mark, CancellationToken ct)
    {
        while (true)
        {
            var head = await HeadAsync(key, ct).ConfigureAwait(false);
            if (head.Epoch is not { } current || current > epoch) return false;
            var row = new MarkRow(0, mark.Input, mark.Offset, mark.ArrivalMs, null, null, false);
            if (await TryAddAsync(key, epoch, head, row, null, ct).ConfigureAwait(false)) return true;
        }
    }

    public async ValueTask<LateOutcome> AddLateAsync(
        CheckpointKey key, long epoch, TopicPartition input, long offset, DeadLetter letter, CancellationToken ct)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(letter, ContractJson.Default.DeadLetter);
        while (true)
        {
            // The head first: what is added after it was read makes this fail and look again.
            var head = await HeadAsync(key, ct).ConfigureAwait(false);
            if (head.Epoch is not { } current || current > epoch) return LateOutcome.Stale;
            var marks = await MarkRowsAsync(key, ct).ConfigureAwait(false);
            if (marks.Exists(mark => mark.LetterId == letter.Id)) return LateOutcome.Known;
            var number = 1 + marks.Count(mark => mark.Input == input && mark.Number is not null);
            var row = new MarkRow(0, input, offset, 0, number, letter.Id, false);
            if (await TryAddAsync(key, epoch, head, row, bytes, ct).ConfigureAwait(false)) return LateOutcome.Added;
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
        var rows = await database.ListAsync(SelectLetters,
            row => MarkRow.Read(row) is { IsCovered: false } mark ? mark.Mark(row.Get<byte[]?>(8)) : null, ct,
            key.Query, key.Version, key.Partition).ConfigureAwait(false);
        return [.. rows.OfType<InputMark>()];
    }

    private async ValueTask<bool> TryAddAsync(
        CheckpointKey key, long epoch, CheckpointHead head, MarkRow mark, byte[]? letter, CancellationToken ct)
    {
        var id = (head.MarkSequence ?? 0) + 1;
        var added = await database.RunAsync(InsertMark, ct, id, mark.Input.Topic, mark.Input.Partition, mark.Offset,
            mark.ArrivalMs, mark.Number, mark.LetterId, letter, key.Query, key.Version, key.Partition, id, epoch,
            head.MarkSequence).ConfigureAwait(false);
        return added.Applied;
    }

    /// <summary>
    /// Lets go what the inputs have passed. Of a late letter the identity stays, so that it is taken once.
    /// </summary>
    private async ValueTask CoverAsync(
        BatchStatement batch, CheckpointKey key, IReadOnlyList<PartitionOffset> inputs, CancellationToken ct)
    {
        foreach (var mark in await MarkRowsAsync(key, ct).ConfigureAwait(false))
        {
            if (mark.IsCovered) continue;
            if (!inputs.Any(input => input.Partition == mark.Input && input.Offset > mark.Offset)) continue;
            batch.Add(await database.BindAsync(mark.Number is null ? DeleteMark : CoverMark, ct, key.Query,
                key.Version, key.Partition, mark.Id).ConfigureAwait(false));
        }
    }

    private async ValueTask ForgetMarksAsync(BatchStatement batch, CheckpointKey key, CancellationToken ct)
    {
        foreach (var mark in await MarkRowsAsync(key, ct).ConfigureAwait(false))
        {
            batch.Add(await database.BindAsync(DeleteMark, ct, key.Query, key.Version, key.Partition, mark.Id)
                .ConfigureAwait(false));
        }
    }

    private async ValueTask<List<MarkRow>> MarkRowsAsync(CheckpointKey key, CancellationToken ct)
    {
        var rows = await database.ListAsync(SelectMarks, MarkRow.Read, ct, key.Query, key.Version, key.Partition)
            .ConfigureAwait(false);
        return [.. rows.OfType<MarkRow>()];
    }
}
