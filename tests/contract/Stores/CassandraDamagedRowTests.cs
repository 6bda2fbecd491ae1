using Millrace.Contracts;
using Millrace.Cql;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.Stores.Alerts;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Telemetry;
using Millrace.Stores.DeadLetters;
using Millrace.Stores.Identities;
using Millrace.Stores.Retained;
using Millrace.Stores.Sessions;
using Millrace.Stores.Telemetry;
using Millrace.Stores.Users;

namespace Millrace.Contract.Tests.Stores;

/// <summary>Rows that hold what no store wrote are told with their table and key, one by one and in lists.</summary>
public sealed class CassandraDamagedRowTests
{
    private CassandraAdapter _adapter = null!;

    [SetUp]
    public void Open() => _adapter = new CassandraAdapter();

    [TearDown]
    public void Close() => _adapter.Dispose();

    [Test]
    public Task One_of_a_list() => IsToldAsync(
        ["INSERT INTO tokens(hub, id, name) VALUES('hub', 't', 'broken')"],
        async () => await _adapter.Get<ITokenStore>().ListAsync(), "tokens");

    [Test]
    public Task One_that_is_read_alone() => IsToldAsync(
        [$"INSERT INTO telemetry_latest(shard, device, value) VALUES({LatestShard}, 'd', 0x01)"],
        async () => await _adapter.Get<ITelemetryStore>().LatestAsync("d"),
        $"telemetry_latest: shard = {LatestShard}, device = 'd'");

    [Test]
    public Task One_of_a_list_by_time() => IsToldAsync(
        ["INSERT INTO alerts_buckets(list, bucket) VALUES('all', 0)",
            "INSERT INTO alerts_rows(list, bucket, at, id, row) VALUES('all', 0, 5, 'a', '{')"],
        async () => await _adapter.Get<IAlertStore>().QueryAsync(new AlertFilter()),
        "alerts_rows: list = 'all', bucket = 0, at = 5, id = 'a'");

    [Test]
    public Task One_of_a_list_that_is_merged() => IsToldAsync(
        ["INSERT INTO identities(shard, device, generation) VALUES(3, 'd', 'g')"],
        async () => await _adapter.Get<IIdentityStore>().ListAsync(new DeviceFilter(), 10, null),
        "identities: device = 'd'");

    [Test]
    public Task One_of_pages_that_are_read_as_they_come() => IsToldAsync(
        ["INSERT INTO retained(space, topic, bytes) VALUES('s', 0x6162, 5)"],
        async () => await _adapter.Get<IRetainedStore>().ListAsync("s", "", DateTimeOffset.UnixEpoch, 10, null),
        "retained: space = 's', topic = 0x6162");

    [Test]
    public Task A_part_of_a_device() => IsToldAsync(
        ["INSERT INTO sessions(device, kind, client, number, data) VALUES('d', 0, 'c', 0, '{')"],
        async () => await _adapter.Get<ISessionStore>().FindAsync(new SessionKey("d", "c")),
        "sessions: device = 'd'");

    [Test]
    public async Task A_dead_letter_that_is_not_asked_for_is_not_even_read()
    {
        var store = _adapter.Get<IDeadLetterStore>();
        var letter = new DeadLetter(DeadLetterStages.Archiver, null, 0, "telemetry", 0, 1, -1, "AR-0001", "why",
            DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, null, 0, [], []);
        await store.WriteAsync(new TopicPartition("any", 0), [letter], new SinkPosition(1));

        await IsToldAsync([$"UPDATE dead_letters SET letter = '{{' WHERE id = '{letter.Id}'"],
            async () => await store.ListAsync(new DeadLetterFilter()), $"dead_letters: id = '{letter.Id}'");
        Assert.That((await store.ListAsync(new DeadLetterFilter(DeadLetterStages.Query))).Items, Is.Empty);
        Assert.That((await store.ListAsync(new DeadLetterFilter(State: DeadLetterState.Replayed))).Items, Is.Empty);
    }

    private static int LatestShard => TelemetryLayout.ShardOf("d", 1_024);

    private async Task IsToldAsync(string[] damage, Func<Task> read, string place)
    {
        await read();
        var database = _adapter.Get<CassandraDatabase>();
        foreach (var text in damage) await database.RunAsync(new SimpleStatement(text), default);

        var error = Assert.ThrowsAsync<MillraceException>(async () => await read())!.Error;

        Assert.That(error.Definition, Is.EqualTo(StoreErrors.RowDamaged));
        Assert.That(error.Value, Does.StartWith(place));
        Assert.That(error.Detail, Is.Not.Empty);
    }
}
