using System.Runtime.CompilerServices;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Lists;
using Millrace.Stores.DeadLetters;
using Millrace.Stores.Upgrades;

namespace Millrace.Stores.Cassandra.DeadLetters;

/// <summary>
/// A letter lies under its id, and its id in a list by time. Its state is changed by compare-and-set alone: a person, a
/// replay and the log may do so at once. What comes from the log is written plainly, in other columns.
/// </summary>
internal sealed class CassandraDeadLetterStore(CassandraDatabase database, IUpgradeStore upgrades, TimeProvider time)
    : IDeadLetterStore
{
    public const string Table = "dead_letters";
    private const string List = "dead-letters";
    private const string All = "all";

    /// <summary>How many letters are read together.</summary>
    private const int LettersOfRead = 64;

    /// <summary>Over how many places at most these are looked for.</summary>
    private const int PlacesOfRead = 1_000;

    private static readonly TimeSpan AdoptInterval = TimeSpan.FromMinutes(1);

    private static readonly StoreStatement Select = new(
        "SELECT letter, failed_at, written_at, state, replays, state_at FROM dead_letters WHERE id = ?");
    private static readonly StoreStatement Insert =
        new("INSERT INTO dead_letters(id, letter, failed_at, written_at) VALUES(?, ?, ?, ?)");
    private static readonly StoreStatement SetState = new("UPDATE dead_letters SET state = ?, replays = ?, "
        + "state_at = ? WHERE id = ? IF state = ? AND replays = ?");

    private readonly TimeLists _lists = new(database, Table, TimeSpan.Zero, time);
    private readonly SinkPositions _positions = new(database, "dead-letters");
    private readonly AskedLetters _asked = new(database);
    private readonly Lock _adopting = new();
    private long? _adoptedAt;
    private volatile bool _isAllAdopted;

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
            if (state == DeadLetterState.Replaying)
            {
                if (!row.IsOpen) return false;
                await _asked.AddAsync(new AskedLetter(id, ++replays, row.FailedAt), ct).ConfigureAwait(false);
            }

            if (await TrySetStateAsync(id, row, state, replays, ct).ConfigureAwait(false)) return true;
        }

        return false;
    }

    public async ValueTask<Page<StoredDeadLetter>> ListAsync(DeadLetterFilter filter, CancellationToken ct)
    {
        var after = TimePlace.Read(List, filter.Continuation);
        var isAsked = filter.State == DeadLetterState.Replaying;
        if (isAsked) await AdoptAsync(ct).ConfigureAwait(false);
        var letters = isAsked ? AskedAsync(after, filter, ct) : LookAsync(after, filter, ct);
        var page = LookedLetter.Page(filter);
        await foreach (var looked in letters.ConfigureAwait(false))
        {
            if (page.IsFull) return LookedLetter.Letters(page.End(hasMore: true, TokenAfter));
            if (page.Takes(looked)) page.Add(looked);
        }

        return LookedLetter.Letters(page.End(hasMore: false, TokenAfter));
    }

    /// <summary>The nodes read all rows of the list for it.</summary>
    public ValueTask<long> CountAsync(CancellationToken ct) => _lists.CountAsync(All, ct);

    private ValueTask<LetterRow?> RowAsync(string id, CancellationToken ct) =>
        database.FirstAsync(Select, Read, ct, id);

    private async ValueTask UpsertAsync(DeadLetter letter, CancellationToken ct)
    {
        var known = await RowAsync(letter.Id, ct).ConfigureAwait(false);
        var at = Times.Microseconds(letter.LastFailedAt);
        if (known?.FailedAt >= at) return;
        if (known is not null) letter = letter with { FirstFailedAt = known.Letter.FirstFailedAt };
        await _lists.WriteAsync([new TimeEntry(All, at, letter.Id,
            JsonSerializer.Serialize(new LetterPlace(letter.Stage, letter.Query)))], ct).ConfigureAwait(false);
        if (known is not null)
            await _lists.RemoveAsync(All, known.FailedAt, letter.Id, ct).ConfigureAwait(false);
        await database.RunAsync(Insert, ct, letter.Id,
            JsonSerializer.Serialize(letter, ContractJson.Default.DeadLetter), at, time.GetUtcNow())
            .ConfigureAwait(false);

        // Not applied: somebody has just said more of it.
        if (known?.IsAsked == true)
            await TrySetStateAsync(letter.Id, known, DeadLetterState.Open, known.Replays ?? 0, ct)
                .ConfigureAwait(false);
    }

    private async ValueTask<bool> TrySetStateAsync(
        string id, LetterRow before, DeadLetterState state, int replays, CancellationToken ct)
    {
        var rows = await database.RunAsync(SetState, ct, (int)state, replays, time.GetUtcNow(), id,
            (int?)before.State, before.Replays).ConfigureAwait(false);
        if (rows.Applied && before.IsAsked)
            await _asked.RemoveAsync(id, before.Replays ?? 0, ct).ConfigureAwait(false);
        return rows.Applied;
    }

    /// <summary>All letters after the place: those whose place says that they may fit are read together.</summary>
    private async IAsyncEnumerable<LookedLetter> LookAsync(
        TimePlace after, DeadLetterFilter filter, [EnumeratorCancellation] CancellationToken ct)
    {
        var (some, fit) = (new List<TimeEntry>(), new HashSet<TimeEntry>(ReferenceEqualityComparer.Instance));
        var entries = _lists.ReadAsync(All, after, long.MinValue, long.MaxValue, filter.Limit, ct);
        await foreach (var entry in entries.ConfigureAwait(false))
        {
            some.Add(entry);
            if (_lists.Read<LetterPlace>(entry) is var place && filter.Matches(place.Stage, place.Query))
                fit.Add(entry);
            if (fit.Count < LettersOfRead && some.Count < PlacesOfRead) continue;
            foreach (var looked in await LookAsync(some, fit, filter, ct).ConfigureAwait(false)) yield return looked;
            some.Clear();
            fit.Clear();
        }

        foreach (var looked in await LookAsync(some, fit, filter, ct).ConfigureAwait(false)) yield return looked;
    }

    private Task<LookedLetter[]> LookAsync(
        List<TimeEntry> some, HashSet<TimeEntry> fit, DeadLetterFilter filter, CancellationToken ct) =>
        InFlight.SelectAsync(some, ct, async (entry, token) => new LookedLetter(entry.At, entry.Id, fit.Contains(entry)
            ? (await RowAsync(entry, filter, token).ConfigureAwait(false))?.Stored(entry.Id)
            : null));

    /// <summary>
    /// Null when it does not fit; then the letter is not parsed. One that is being moved stands at both places for a
    /// moment, and fits at that of its time.
    /// </summary>
    private ValueTask<LetterRow?> RowAsync(TimeEntry entry, DeadLetterFilter filter, CancellationToken ct) =>
        database.FirstAsync(Select,
            row => row.Get<long>(1) == entry.At && filter.Matches(StateOf(row) ?? DeadLetterState.Open)
                ? Read(row)
                : null, ct, entry.Id);

    private async IAsyncEnumerable<LookedLetter> AskedAsync(
        TimePlace after, DeadLetterFilter filter, [EnumeratorCancellation] CancellationToken ct)
    {
        var asked = (await _asked.ListAsync(ct).ConfigureAwait(false))
            .Where(one => one.FailedAt < after.At
                || (one.FailedAt == after.At && string.CompareOrdinal(one.Id, after.Id) < 0))
            .OrderByDescending(one => one.FailedAt).ThenByDescending(one => one.Id, StringComparer.Ordinal);
        foreach (var some in asked.Chunk(LettersOfRead))
        {
            var rows = await InFlight.SelectAsync(some, ct, (one, token) => RowAsync(one.Id, token))
                .ConfigureAwait(false);
            foreach (var (one, row) in some.Zip(rows))
            {
                var isAsked = row is { IsAsked: true } && row.Replays == one.Replays;

                // Not one whose letter is about to say so.
                if (!isAsked && row?.Replays >= one.Replays)
                    await _asked.RemoveAsync(one.Id, one.Replays, ct).ConfigureAwait(false);
                var fits = isAsked && filter.Matches(row!.Letter.Stage, row.Letter.Query);
                yield return new LookedLetter(one.FailedAt, one.Id, fits ? row!.Stored(one.Id) : null);
            }
        }
    }

    /// <summary>
    /// A version that does not know of <see cref="AskedLetters"/> asks without it, until the upgrade is finalised. What
    /// it asked for is added now and then, and once more after that.
    /// </summary>
    private async ValueTask AdoptAsync(CancellationToken ct)
    {
        lock (_adopting)
        {
            if (_isAllAdopted || (_adoptedAt is { } at && time.GetElapsedTime(at) < AdoptInterval)) return;
            _adoptedAt = time.GetTimestamp();
        }

        var isLast = (await upgrades.ReadAsync(ct).ConfigureAwait(false)).IsFinalised;
        var filter = new DeadLetterFilter(State: DeadLetterState.Replaying, Limit: int.MaxValue - 1);
        await foreach (var looked in LookAsync(TimePlace.Newest, filter, ct).ConfigureAwait(false))
        {
            if (looked.Letter is { } letter)
                await _asked.AddAsync(new AskedLetter(letter.Id, letter.Replays, looked.At), ct).ConfigureAwait(false);
        }

        _isAllAdopted = isLast;
    }

    private static string TokenAfter(LookedLetter last) => TimePlace.Token(List, new TimePlace(last.At, last.Id));

    private static LetterRow Read(Row row) => new(
        JsonSerializer.Deserialize(row.Get<string>(0), ContractJson.Default.DeadLetter)!, row.Get<long>(1),
        row.Get<DateTimeOffset>(2), StateOf(row), row.Get<int?>(4), row.Get<DateTimeOffset?>(5));

    private static DeadLetterState? StateOf(Row row) => (DeadLetterState?)row.Get<int?>(3);

    /// <summary>What the list can filter by without looking at the letter.</summary>
    private sealed record LetterPlace(string Stage, string? Query);

    /// <param name="State">Null, as Replays, until somebody changes it.</param>
    private sealed record LetterRow(
        DeadLetter Letter, long FailedAt, DateTimeOffset WrittenAt, DeadLetterState? State, int? Replays,
        DateTimeOffset? StateAt)
    {
        public bool IsOpen => (State ?? DeadLetterState.Open) == DeadLetterState.Open;

        public bool IsAsked => State == DeadLetterState.Replaying;

        public StoredDeadLetter Stored(string id) => new(id, Letter, State ?? DeadLetterState.Open, Replays ?? 0,
            StateAt > WrittenAt ? StateAt.Value : WrittenAt);
    }
}
