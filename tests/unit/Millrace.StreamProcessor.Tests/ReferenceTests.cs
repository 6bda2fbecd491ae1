using Millrace.Stores.Identities;
using Millrace.Stores.Queries;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>Queries that join with the hub's devices.</summary>
public class ReferenceTests
{
    private ProcessorFixture _hub = null!;

    [SetUp]
    public async Task Open() => await (_hub = new ProcessorFixture()).StartAsync();

    [TearDown]
    public async Task Close() => await _hub.DisposeAsync();

    [Test]
    public async Task A_row_meets_its_device_as_it_is_also_when_that_changes_and_after_a_restart()
    {
        var first = Device("d1", "hall");
        Assert.That(await _hub.Get<IIdentityStore>().CreateAsync(first), Is.True);
        await _hub.Get<IQueryStore>().SaveAsync(new QueryConfig
        {
            Name = "rooms",
            Version = 1,
            Text = "SELECT t.v, d.tags.room, d.state INTO rooms FROM telemetry t " +
                "LEFT JOIN devices d ON t.IoTHub.ConnectionDeviceId = d.id",
            Options = new QueryOptions { StartFrom = "earliest" },
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        }, 0);
        await AppendAsync("d1", 1);
        await AppendAsync("d2", 2);
        await HasAsync("""{"v":1,"room":"hall","state":"enabled"}""", """{"v":2,"room":null,"state":null}""");

        Assert.That(await _hub.Get<IIdentityStore>().UpdateAsync(first with { TagsJson = """{"room":"attic"}""" }, 1));
        await Eventually.TrueAsync(async () =>
        {
            await AppendAsync("d1", 3);
            return (await _hub.RowsAsync("rooms")).Values.Contains("""{"v":3,"room":"attic","state":"enabled"}""");
        }, "the change is seen");
        await _hub.RestartAsync();
        await AppendAsync("d1", 4);
        await HasAsync("""{"v":4,"room":"attic","state":"enabled"}""");
    }

    private Task AppendAsync(string device, int v) => _hub.AppendAsync(
        0, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), device, $"{{\"v\":{v}}}");

    private Task HasAsync(params string[] wanted) => Eventually.TrueAsync(async () =>
    {
        var rows = (await _hub.RowsAsync("rooms")).Values;
        return wanted.All(row => rows.Contains(row));
    }, string.Join(", ", wanted));

    private static DeviceIdentity Device(string id, string room) => new()
    {
        DeviceId = id,
        GenerationId = "1",
        TagsJson = $"{{\"room\":\"{room}\"}}",
        CreatedAt = TimeProvider.System.GetUtcNow(),
        UpdatedAt = TimeProvider.System.GetUtcNow(),
    };
}
