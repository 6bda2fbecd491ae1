using System.Text;
using Millrace.ObjectStore;
using Millrace.Stores.Identities;
using Millrace.Stores.Queries;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>Queries that join with reference data from where it lives, while it changes.</summary>
public class ReferenceTests
{
    private const string Section = "Queries:Extensions:References";

    private ProcessorFixture _hub = null!;

    private IObjectStore Objects => _hub.Get<IObjectStore>();

    [SetUp]
    public async Task Open() => await (_hub = new ProcessorFixture(settings: new Dictionary<string, string?>
    {
        [$"{Section}:rooms:Objects"] = "reference/rooms.json",
        [$"{Section}:floors:Objects"] = "reference/floors/",
        [$"{Section}:means:Output"] = "mean",
        [$"{Section}:means:Key:0"] = "d",
        [$"{Section}:means:AgeMax"] = "30d",
        [$"{Section}:now:Latest"] = "true",
    })).StartAsync();

    [TearDown]
    public async Task Close() => await _hub.DisposeAsync();

    [Test]
    public async Task A_row_meets_its_device_as_it_is_also_when_that_changes_and_after_a_restart()
    {
        var first = await CreateAsync("d1", "hall");
        await ApplyAsync("SELECT t.v, d.tags.room, d.state INTO rows FROM telemetry t " +
            "LEFT JOIN devices d ON t.IoTHub.ConnectionDeviceId = d.id");
        await AppendAsync("d1", 1);
        await AppendAsync("d2", 2);
        await HasAsync("""{"v":1,"room":"hall","state":"enabled"}""", """{"v":2,"room":null,"state":null}""");

        Assert.That(await _hub.Get<IIdentityStore>().UpdateAsync(first with { TagsJson = """{"room":"attic"}""" }, 1));
        await ComesToAsync("d1", 3, """{"v":3,"room":"attic","state":"enabled"}""");
        await _hub.RestartAsync();
        await AppendAsync("d1", 4);
        await HasAsync("""{"v":4,"room":"attic","state":"enabled"}""");
    }

    [Test]
    public async Task An_object_is_read_again_when_it_was_replaced_and_kept_while_it_is_damaged_or_gone()
    {
        await PutAsync("reference/rooms.json", """[{"id": 1, "name": "hall"}, {"id": 2, "name": "attic"}]""");
        await ApplyAsync("SELECT t.v, r.name INTO rows FROM telemetry t JOIN rooms r ON t.v % 10 = r.id");
        await AppendAsync("d1", 1);
        await HasAsync("""{"v":1,"name":"hall"}""");

        await PutAsync("reference/rooms.json", """{"id": 1, "name": "cellar"}""");
        await ComesToAsync("d1", 11, """{"v":11,"name":"cellar"}""");

        await FailsAsync(() => PutAsync("reference/rooms.json", "[1, 2]"));
        await AppendAsync("d1", 21);
        await HasAsync("""{"v":21,"name":"cellar"}""");

        await FailsAsync(async () => await Objects.DeleteAsync("reference/rooms.json"));
        await _hub.RestartAsync();
        await AppendAsync("d1", 31);
        await HasAsync("""{"v":31,"name":"cellar"}""");

        await PutAsync("reference/rooms.json", """{"id": 1, "name": "roof"}""");
        await ComesToAsync("d1", 41, """{"v":41,"name":"roof"}""");
    }

    [Test]
    public async Task Entries_that_no_row_can_meet_are_counted_when_they_are_taken()
    {
        using var leftOut = new CounterReader("millrace.query.reference.entries.left.out");
        await PutAsync("reference/rooms.json", """[{"id": "x", "name": "hall"}, {"id": "2", "name": "attic"}]""");
        await ApplyAsync("SELECT t.v, r.name INTO rows FROM telemetry t JOIN rooms r ON t.v = CAST(r.id AS bigint)");
        await AppendAsync("d1", 2);
        await HasAsync("""{"v":2,"name":"attic"}""");
        Assert.That(leftOut.Total, Is.Positive);
    }

    [Test]
    public async Task A_folder_gives_the_entries_of_all_its_objects_JSON_and_CSV()
    {
        await PutAsync("reference/floors/a.csv", "id,name\n1,ground\n2,first\n");
        await PutAsync("reference/floors/b.jsonl", "{\"id\":3,\"name\":\"second\"}\n{\"id\":1,\"name\":\"also\"}");
        await ApplyAsync("SELECT t.v, f.name INTO rows FROM telemetry t JOIN floors f ON t.v = f.id");
        foreach (var v in new[] { 1, 2, 3 }) await AppendAsync("d1", v);
        await HasAsync("""{"v":1,"name":"ground"}""", """{"v":1,"name":"also"}""", """{"v":2,"name":"first"}""",
            """{"v":3,"name":"second"}""");
    }

    [Test]
    public async Task Of_an_output_in_the_warm_store_the_latest_row_of_each_key_counts()
    {
        await ApplyAsync("SELECT IoTHub.ConnectionDeviceId AS d, v * 10 AS m INTO mean FROM telemetry WHERE v < 10",
            "mean");
        await ApplyAsync("SELECT t.v, m.m INTO rows FROM telemetry t " +
            "JOIN means m ON t.IoTHub.ConnectionDeviceId = m.d WHERE t.v > 10");
        await AppendAsync("d1", 1);
        await AppendAsync("d2", 5);
        await ComesToAsync("d1", 11, """{"v":11,"m":10}""");
        await ComesToAsync("d2", 12, """{"v":12,"m":50}""");
        await AppendAsync("d1", 2);
        await ComesToAsync("d1", 13, """{"v":13,"m":20}""");
    }

    [Test]
    public async Task The_latest_value_of_another_device_can_be_met()
    {
        await CreateAsync("outside", "yard");
        await ApplyAsync("SELECT t.v, n.body.v AS outside INTO rows FROM telemetry t " +
            "JOIN now n ON n.id = 'outside' WHERE t.IoTHub.ConnectionDeviceId = 'd1'");
        await AppendAsync("outside", 7);
        await ComesToAsync("d1", 1, """{"v":1,"outside":7}""");
    }

    [Test]
    public async Task A_query_begins_when_its_reference_data_is_there_and_says_what_it_waits_for()
    {
        await ApplyAsync("SELECT t.v, r.name INTO rows FROM telemetry t LEFT JOIN rooms r ON t.v = r.id");
        await AppendAsync("d1", 1);
        await Eventually.TrueAsync(async () => (await _hub.Get<IQueryStore>().StatusAsync("rows"))?.Error
            is { } error && error.Contains("SP-0010") && error.Contains("SP-0011"), "the status says what is missing");

        await PutAsync("reference/rooms.json", """{"id": 1, "name": "hall"}""");
        await HasAsync("""{"v":1,"name":"hall"}""");
        await Eventually.TrueAsync(async () => (await _hub.Get<IQueryStore>().StatusAsync("rows"))?.Error is null,
            "the status is clear");
        Assert.That((await _hub.RowsAsync("rows")).Values, Has.Count.EqualTo(1), "nothing went by without it");
    }

    private async Task<DeviceIdentity> CreateAsync(string id, string room)
    {
        var device = new DeviceIdentity
        {
            DeviceId = id,
            GenerationId = "1",
            TagsJson = $"{{\"room\":\"{room}\"}}",
            CreatedAt = TimeProvider.System.GetUtcNow(),
            UpdatedAt = TimeProvider.System.GetUtcNow(),
        };
        Assert.That(await _hub.Get<IIdentityStore>().CreateAsync(device), Is.True);
        return device;
    }

    private Task ApplyAsync(string text, string name = "rows") => _hub.Get<IQueryStore>().SaveAsync(new QueryConfig
    {
        Name = name,
        Version = 1,
        Text = text,
        Options = new QueryOptions { StartFrom = "earliest" },
        Outputs = [name],
        CreatedAt = DateTimeOffset.UnixEpoch,
        UpdatedAt = DateTimeOffset.UnixEpoch,
    }, 0).AsTask();

    private Task PutAsync(string key, string content) =>
        Objects.PutAsync(key, Encoding.UTF8.GetBytes(content)).AsTask();

    private Task AppendAsync(string device, int v) => _hub.AppendAsync(
        0, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), device, $"{{\"v\":{v}}}");

    private Task HasAsync(params string[] wanted) => Eventually.TrueAsync(async () =>
    {
        var rows = (await _hub.RowsAsync("rows")).Values;
        return wanted.All(row => rows.Contains(row));
    }, string.Join(", ", wanted));

    /// <summary>Sends until the row is there: nobody knows the offset at which a change begins to count.</summary>
    private Task ComesToAsync(string device, int v, string row) => Eventually.TrueAsync(async () =>
    {
        await AppendAsync(device, v);
        return (await _hub.RowsAsync("rows")).Values.Contains(row);
    }, row);

    /// <summary>Does it, and waits until a reading failed.</summary>
    private async Task FailsAsync(Func<Task> change)
    {
        using var failures = new CounterReader("millrace.query.references.failed");
        await change();
        await Eventually.TrueAsync(() => failures.Total > 0, "a reading failed");
    }
}
