using System.Runtime.CompilerServices;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Lists;
using Millrace.Stores.DeadLetters;

namespace Millrace.Stores.Cassandra.DeadLetters;

/// <summary>
/// A letter lies under its id, and its id in a list by time. Its state is changed by compare-and-set alone: a person, a
/// replay and the log may do so at once. What comes from the log is written plainly, in other columns.
/// </summary>
internal sealed class CassandraDeadLetterStore(CassandraDatabase database, TimeProvider time) : IDeadLetterStore
{
    public const string Table = "dead_letters";
    private const string List = "dead-letters";
    private const string All = "all";

    private static readonly StoreStatement Select = new(
        "SELECT letter, failed_at, written_at, state, replays, state_at FROM dead_letters WHERE id = ?");
    private static readonly StoreStatement Insert =
        new("INSERT INTO dead_letters(id, letter, failed_at, written_at) VALUES(?, ?, ?, ?)");
    private static readonly StoreStatement SetState = new("UPDATE dead_letters SET state = ?, replays = ?, "
        + "state_at = ? WHERE id = ? IF state = ? AND replays = ?");

    private readonly TimeLists _lists = new(database, Table, TimeSpan.Zero, time);
    private readonly SinkPositions _positions = new(database, "dead-letters");

    public async ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<DeadLetter> letters, SinkPosition position, CancellationToken ct)
    {
        if (await _positions.IsPastAsync(partition, position, ct).ConfigureAwait(false)) return;
        await InFlight.ForEachAsync(letters.GroupBy(letter => letter.Id), ct, async (same, token) =>
        {
            foreach (var letter in same) await UpsertAsync(letter, token).ConfigureAwait(false);
        }).ConfigureAwait(false);
        await _positions.SaveAsync(partition, position, ct).ConfigureAwait(false);
    }

    public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) =>
        _positions.FindAsync(partition, ct);

    public async ValueTask<StoredDeadLetter?> FindAsync(string id, CancellationToken ct) =>
        (await RowAsync(id, ct).ConfigureAwait(false))?.Stored(id);

    public async ValueTask<bool> SetStateAsync(string id, DeadLetterState state, CancellationToken ct)
    {
        while (await RowAsync(id, ct).ConfigureAwait(false) is { } row)
        {
            var replays = row.Replays ?? 0;
            if (state == DeadLetterState.Replaying) replays++;
            if (await TrySetStateAsync(id, row, state, replays, ct).ConfigureAwait(false)) return true;
        }

        return false;
    }

    public async ValueTask<Page<StoredDeadLetter>> ListAsync(DeadLetterFilter filter, CancellationToken ct)
    {
        var entries = _lists.ReadAsync(All, TimePlace.Read(List, filter.Continuation), long.MinValue, long.MaxValue,
            filter.Limit, ct);
        var page = await Paging.TakeAsync(FitAsync(entries, filter, ct), filter.Limit,
            last => TimePlace.Token(List, new TimePlace(last.At, last.Letter.Id)), ct).ConfigureAwait(false);
        return new Page<StoredDeadLetter>([.. page.Items.Select(item => item.Letter)], page.Continuation);
    }

    /// <summary>The nodes read all rows of the list for it.</summary>
    public ValueTask<long> CountAsync(CancellationToken ct) => _lists.CountAsync(All, ct);

    private ValueTask<LetterRow?> RowAsync(string id, CancellationToken ct) =>
        database.FirstAsync(Select, Read, ct, id);

    private async ValueTask UpsertAsync(DeadLetter letter, CancellationToken ct)
    {
        var known = await RowAsync(letter.Id, ct).ConfigureAwait(false);
        if (known is not null) letter = letter with { FirstFailedAt = known.Letter.FirstFailedAt };
        var at = Times.Microseconds(letter.LastFailedAt);
        await _lists.WriteAsync([new TimeEntry(All, at, letter.Id,
            JsonSerializer.Serialize(new LetterPlace(letter.Stage, letter.Query)))], ct).ConfigureAwait(false);
        if (known is not null && known.FailedAt != at)
            await _lists.RemoveAsync(All, known.FailedAt, letter.Id, ct).ConfigureAwait(false);
        await database.RunAsync(Insert, ct, letter.Id,
            JsonSerializer.Serialize(letter, ContractJson.Default.DeadLetter), at, time.GetUtcNow())
            .ConfigureAwait(false);

        // Not applied: somebody has just said more of it.
        if (known?.State == DeadLetterState.Replaying)
            await TrySetStateAsync(letter.Id, known, DeadLetterState.Open, known.Replays ?? 0, ct)
                .ConfigureAwait(false);
    }

    private async ValueTask<bool> TrySetStateAsync(
        string id, LetterRow before, DeadLetterState state, int replays, CancellationToken ct)
    {
        var rows = await database.RunAsync(SetState, ct, (int)state, replays, time.GetUtcNow(), id,
            (int?)before.State, before.Replays).ConfigureAwait(false);
        return rows.Applied;
    }

    private async IAsyncEnumerable<(long At, StoredDeadLetter Letter)> FitAsync(
        IAsyncEnumerable<TimeEntry> entries, DeadLetterFilter filter, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var entry in entries.ConfigureAwait(false))
        {
            var place = JsonSerializer.Deserialize<LetterPlace>(entry.Row)!;
            if ((filter.Stage ?? place.Stage) != place.Stage || (filter.Query ?? place.Query) != place.Query) continue;
            var row = await RowAsync(entry.Id, ct).ConfigureAwait(false);

            // One that is being moved stands at both places for a moment.
            if (row is null || row.FailedAt != entry.At) continue;
            var letter = row.Stored(entry.Id);
            if ((filter.State ?? letter.State) == letter.State) yield return (entry.At, letter);
        }
    }

    private static LetterRow Read(Row row) => new(
        JsonSerializer.Deserialize(row.Get<string>(0), ContractJson.Default.DeadLetter)!, row.Get<long>(1),
        row.Get<DateTimeOffset>(2), (DeadLetterState?)row.Get<int?>(3), row.Get<int?>(4),
        row.Get<DateTimeOffset?>(5));

    /// <summary>What the list can filter by without looking at the letter.</summary>
    private sealed record LetterPlace(string Stage, string? Query);

    /// <param name="State">Null, as Replays, until somebody changes it.</param>
    private sealed record LetterRow(
        DeadLetter Letter, long FailedAt, DateTimeOffset WrittenAt, DeadLetterState? State, int? Replays,
        DateTimeOffset? StateAt)
    {
        public StoredDeadLetter Stored(string id) => new(id, Letter, State ?? DeadLetterState.Open, Replays ?? 0,
            StateAt > WrittenAt ? StateAt.Value : WrittenAt);
    }
}
