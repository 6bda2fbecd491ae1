using Millrace.Contracts;
using Millrace.Stores;
using Millrace.Stores.Alerts;
using Millrace.Stores.Audit;
using Millrace.Stores.DeadLetters;
using Millrace.Stores.DeviceStates;
using Millrace.Stores.Identities;
using Millrace.Stores.Outputs;
using Millrace.Stores.Queries;
using Millrace.Stores.Users;

namespace Millrace.Contract.Tests.Stores;

/// <summary>The stores of the platform's own records.</summary>
public class RecordStoreTests
{
    private static readonly TopicPartition Partition = new("any", 0);
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private StoreFixture _stores = null!;

    [SetUp]
    public void Open() => _stores = new StoreFixture();

    [TearDown]
    public void Close() => _stores.Dispose();

    [Test]
    public async Task An_identity_comes_back_whole_and_an_update_needs_the_version_that_is_stored()
    {
        var store = _stores.Get<IIdentityStore>();
        var made = Identity("pump") with { TagsJson = """{"site":"x"}""", PrimaryThumbprint = "AB" };
        Assert.That(await store.CreateAsync(made), Is.True);
        Assert.That(await store.CreateAsync(made with { PrimaryKey = "other" }), Is.False);
        _stores.Reopen();
        store = _stores.Get<IIdentityStore>();

        Assert.That(await store.FindAsync("pump"), Is.EqualTo(made));
        Assert.That(await store.UpdateAsync(made with { Status = DeviceStatus.Disabled }, 1), Is.True);
        Assert.That(await store.UpdateAsync(made, 1), Is.False);
        Assert.That((await store.FindAsync("pump"))!.Version, Is.EqualTo(2));
        Assert.That(await store.DeleteAsync("pump"), Is.True);
        Assert.That(await store.DeleteAsync("pump"), Is.False);
    }

    [Test]
    public async Task Identities_are_listed_by_prefix_in_pages_in_order()
    {
        var store = _stores.Get<IIdentityStore>();
        var ids = Enumerable.Range(0, 25).Select(i => $"{(i % 2 == 0 ? "a%" : "b_")}{i:00}").ToList();
        Assert.That(await store.CreateManyAsync([.. ids.Select(Identity)]), Is.Empty);
        Assert.That(await store.CreateManyAsync([Identity(ids[3])]), Is.EqualTo(new[] { ids[3] }));

        var got = new List<string>();
        string? token = null;
        do
        {
            var page = await store.ListAsync("a%", 4, token);
            got.AddRange(page.Items.Select(i => i.DeviceId));
            token = page.Continuation;
        }
        while (token is not null);

        Assert.That(got, Is.EqualTo(ids.Where(i => i.StartsWith('a')).Order()));
        Assert.That(await store.CountAsync(), Is.EqualTo(25));
    }

    [Test]
    public async Task Alerts_are_upserted_by_row_id_and_found_newest_first()
    {
        var store = _stores.Get<IAlertStore>();
        var rows = Enumerable.Range(0, 10).Select(i => new AlertRow($"r{i}", "q", 1, $"d{i % 2}",
            (AlertSeverity)(i % 3), "hot", Noon.AddSeconds(i / 2), "{}")).ToArray();
        await store.WriteAsync(Partition, rows, new SinkPosition(10, "epochs"));
        await store.WriteAsync(Partition, [rows[4] with { Message = "again" }], new SinkPosition(11));

        Assert.That(await store.CountAsync(), Is.EqualTo(10));
        var first = await store.QueryAsync(new AlertFilter(DeviceId: "d0", Limit: 3));
        var rest = await store.QueryAsync(new AlertFilter(DeviceId: "d0", Limit: 3, Continuation: first.Continuation));
        Assert.That(first.Items.Concat(rest.Items).Select(a => a.RowId),
            Is.EqualTo(new[] { "r8", "r6", "r4", "r2", "r0" }));
        Assert.That(first.Items[2].Message, Is.EqualTo("again"));
        var critical = await store.QueryAsync(new AlertFilter(SeverityMin: AlertSeverity.Critical));
        Assert.That(critical.Items.Select(a => a.RowId), Is.EqualTo(new[] { "r8", "r5", "r2" }));
        Assert.That(await store.PositionAsync(Partition), Is.EqualTo(new SinkPosition(11)));
        Assert.That(await store.ExpireAsync(Noon.AddSeconds(2)), Is.EqualTo(4));
    }

    [Test]
    public async Task Output_rows_are_upserted_by_row_id_and_found_by_output_and_time()
    {
        var store = _stores.Get<IOutputStore>();
        var rows = Enumerable.Range(0, 6).Select(i => new OutputRow($"r{i}", i < 5 ? "one" : "two", "q", 1,
            Noon.AddSeconds(i), "{}")).ToArray();
        await store.WriteAsync(Partition, rows, new SinkPosition(6));
        await store.WriteAsync(Partition, rows, new SinkPosition(6));

        var page = await store.QueryAsync("one", Noon.AddSeconds(1), null, 2, null);
        var rest = await store.QueryAsync("one", Noon.AddSeconds(1), null, 9, page.Continuation);
        Assert.That(page.Items.Concat(rest.Items).Select(r => r.RowId), Is.EqualTo(new[] { "r4", "r3", "r2", "r1" }));
    }

    [Test]
    public async Task The_end_of_an_older_connection_does_not_hide_the_newer_one()
    {
        var store = _stores.Get<IDeviceStateStore>();
        await store.WriteAsync(Partition,
        [
            new LifecycleEvent(LifecycleKind.Connected, "d", Noon, ConnectionId: "1"),
            new LifecycleEvent(LifecycleKind.Connected, "d", Noon.AddSeconds(1), ConnectionId: "2"),
            new LifecycleEvent(LifecycleKind.Disconnected, "d", Noon.AddSeconds(2), "taken-over", "1"),
        ], new SinkPosition(3));
        Assert.That((await store.FindAsync("d"))!.Connected, Is.True);
        Assert.That(await store.CountConnectedAsync(), Is.EqualTo(1));

        await store.WriteAsync(Partition,
            [new LifecycleEvent(LifecycleKind.Disconnected, "d", Noon.AddSeconds(3), "keep-alive", "2")],
            new SinkPosition(4));
        var state = (await store.FindManyAsync(["d", "unknown"])).Single();
        Assert.That(state, Is.EqualTo(
            new DeviceState("d", false, Noon.AddSeconds(1), Noon.AddSeconds(3), "keep-alive", Noon.AddSeconds(3))));
    }

    [Test]
    public async Task A_dead_letter_found_again_keeps_its_first_time_and_a_failed_replay_opens_it_again()
    {
        var store = _stores.Get<IDeadLetterStore>();
        var letter = new DeadLetter("archiver", null, 0, "telemetry", 1, 42, -1, "AR-0001", "why", Noon, Noon, null, 5,
            [new DeadLetterHeader("h", [1])], [2, 3]);
        await store.WriteAsync(Partition, [letter], new SinkPosition(1));
        Assert.That(await store.SetStateAsync(letter.Id, DeadLetterState.Replaying), Is.True);
        var later = letter with { FirstFailedAt = Noon.AddHours(1), LastFailedAt = Noon.AddHours(1) };
        await store.WriteAsync(Partition, [later], new SinkPosition(2));

        var found = (await store.FindAsync(letter.Id))!;
        Assert.That((found.State, found.Replays), Is.EqualTo((DeadLetterState.Open, 1)));
        Assert.That((found.Letter.FirstFailedAt, found.Letter.LastFailedAt), Is.EqualTo((Noon, Noon.AddHours(1))));
        Assert.That(found.Letter.Value, Is.EqualTo(letter.Value));
        Assert.That((await store.ListAsync(new DeadLetterFilter(Stage: "query"))).Items, Is.Empty);
        Assert.That((await store.ListAsync(new DeadLetterFilter(State: DeadLetterState.Open))).Items, Has.Count.EqualTo(1));
        Assert.That(await store.SetStateAsync("none", DeadLetterState.Replayed), Is.False);
    }

    [Test]
    public async Task A_query_is_replaced_only_over_the_expected_version_and_its_start_is_fixed_once()
    {
        var store = _stores.Get<IQueryStore>();
        var query = new QueryConfig { Name = "q", Version = 1, Text = "SELECT 1", CreatedAt = Noon, UpdatedAt = Noon };
        Assert.That(await store.SaveAsync(query, 1), Is.False);
        Assert.That(await store.SaveAsync(query, 0), Is.True);
        Assert.That(await store.SaveAsync(query with { Version = 2 }, 1), Is.True);
        Assert.That(await store.SaveAsync(query with { Version = 2 }, 1), Is.False);

        var first = await store.FixStartAsync("q", 2, new Dictionary<string, long> { ["telemetry/0"] = 7 });
        var second = await store.FixStartAsync("q", 2, new Dictionary<string, long> { ["telemetry/0"] = 9 });
        Assert.That(second, Is.EqualTo(first));
        Assert.That((await store.FindAsync("q"))!.StartOffsets["telemetry/0"], Is.EqualTo(7));

        Assert.That(await store.SetStateAsync("q", QueryState.Paused), Is.True);
        Assert.That((await store.ListAsync()).Single().State, Is.EqualTo(QueryState.Paused));
        Assert.That(await store.DeleteAsync("q"), Is.True);
        Assert.That(await store.FindAsync("q"), Is.Null);
    }

    [Test]
    public async Task A_token_is_found_by_its_hash_until_it_is_deleted()
    {
        var store = _stores.Get<ITokenStore>();
        await store.SaveAsync(new ApiToken("t", "ci", "HASH", ["read", "operate"], Noon, Noon.AddDays(1)));

        var found = await store.FindBySha256Async("HASH");
        Assert.That(found!.Scopes, Is.EqualTo(new[] { "read", "operate" }));
        Assert.That(found.ExpiresAt, Is.EqualTo(Noon.AddDays(1)));
        Assert.That(await store.DeleteAsync("t"), Is.True);
        Assert.That(await store.FindBySha256Async("HASH"), Is.Null);
    }

    [Test]
    public async Task Audit_entries_are_paged_newest_first()
    {
        var store = _stores.Get<IAuditStore>();
        for (var i = 0; i < 5; i++) await store.AddAsync(new AuditEntry(Noon, "me", "did", $"{i}", null));

        var page = await store.ListAsync(3, null);
        var rest = await store.ListAsync(3, page.Continuation);
        Assert.That(page.Items.Concat(rest.Items).Select(e => e.Subject), Is.EqualTo(new[] { "4", "3", "2", "1", "0" }));
    }

    private static DeviceIdentity Identity(string id) => new()
    {
        DeviceId = id,
        GenerationId = "g",
        PrimaryKey = "cHJpbWFyeQ==",
        SecondaryKey = "c2Vjb25k",
        CreatedAt = Noon,
        UpdatedAt = Noon,
    };
}
