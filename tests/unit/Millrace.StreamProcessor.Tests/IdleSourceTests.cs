using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Saql;
using Millrace.Stores.Checkpoints;
using Millrace.Stores.Queries;
using Millrace.StreamProcessor.Queries;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>Sources with nothing new, whose marks let go what waits for them.</summary>
public class IdleSourceTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 12, 0, 2, TimeSpan.Zero);

    private ShiftedTime _time = null!;
    private ProcessorFixture _hub = null!;
    private QueryPlace _place = null!;

    [SetUp]
    public async Task Open()
    {
        _time = new ShiftedTime();
        _time.Move(Start - _time.GetUtcNow());

        // A look at the clock waits so long for the store, which is there, and does not begin to save.
        var settings = new Dictionary<string, string?>
        {
            ["StreamProcessor:TickInterval"] = "00:00:20",
            ["StreamProcessor:CheckpointInterval"] = "01:00:00",
        };
        _hub = new ProcessorFixture(
            settings: settings, more: services => services.AddSingleton<TimeProvider>(_time));
        await _hub.StartTopicsAsync();
        var config = new QueryConfig
        {
            Name = "idle",
            Version = 1,
            Text = "SELECT COUNT(*) AS n INTO counts FROM telemetry GROUP BY TumblingWindow(minute, 10)",
            Options = new QueryOptions { StartFrom = "earliest" },
            CreatedAt = Start,
            UpdatedAt = Start,
        };
        await _hub.Get<IQueryStore>().SaveAsync(config, 0);
        var plan = SaqlCompiler.Compile(config.Text).Plan!;
        _place = (await _hub.Get<QueryPlaces>().ResolveAsync(config, plan, default)).Single();
    }

    [TearDown]
    public async Task Close() => await _hub.DisposeAsync();

    /// <summary>A window is open all the time, and three of four partitions stay empty.</summary>
    [Test]
    public async Task In_an_hour_of_open_windows_a_source_is_marked_for_each_row_and_window_and_each_offset_keeps_one()
    {
        using var marked = new CounterReader("millrace.query.idle.marks", ("query", "idle"));
        await using (var owner = await TakeOverAsync())
        {
            for (var minute = 0; minute < 60; minute++)
            {
                await RecordAsync(owner);
                for (var tick = 0; tick < 12; tick++) await TickAsync(owner, TimeSpan.FromSeconds(5));
                if (minute is 7 or 33) await owner.SaveAsync(default);
                Assert.That(await CountsAsync(), Is.EqualTo(Enumerable.Repeat(10, (minute + 1) / 10)));
            }
        }

        Assert.That(marked.Total, Is.InRange((60 + 6) * 3, (60 + 6) * 4));
        var kept = await _hub.Get<ICheckpointStore>().MarksAsync(_place.Key);
        Assert.That(kept.Select(mark => (mark.Input, mark.Offset)), Is.Unique);

        // It begins behind a checkpoint that has the first half, and finds the same at the same places.
        var rows = await _hub.RowsAsync("counts");
        await using (var next = await TakeOverAsync())
        {
            await ReadOnAsync(next);
            Assert.That(next.IsCatchingUp, Is.False);
            await next.SaveAsync(default);
        }

        Assert.That(await _hub.RowsAsync("counts"), Is.EqualTo(rows));
        Assert.That(await _hub.Get<ICheckpointStore>().MarksAsync(_place.Key), Has.Count.LessThanOrEqualTo(4));
    }

    [Test]
    public async Task While_a_window_is_open_and_nothing_comes_nothing_is_marked()
    {
        using var marked = new CounterReader("millrace.query.idle.marks", ("query", "idle"));
        await using var owner = await TakeOverAsync();
        await RecordAsync(owner);
        for (var second = 0; second < 590; second++) await TickAsync(owner, TimeSpan.FromSeconds(1));
        Assert.That(marked.Total, Is.EqualTo(4), "the row waited for the others to arrive as far");
        Assert.That(await CountsAsync(), Is.Empty);
        for (var second = 0; second < 3_000; second++) await TickAsync(owner, TimeSpan.FromSeconds(1));
        Assert.That(marked.Total, Is.EqualTo(8), "the window ended");
        Assert.That(await CountsAsync(), Is.EqualTo(new[] { 1 }));
    }

    private Task<QueryOwner> TakeOverAsync() => QueryOwner.TakeOverAsync(
        _hub.Get<QueryServices>(), _place, new QueryProgress(_place.Config, TimeProvider.System), default);

    private async Task RecordAsync(QueryOwner owner)
    {
        await _hub.AppendAsync(0, _time.GetUtcNow().ToUnixTimeMilliseconds(), "pump", """{"v":1}""");
        await ReadOnAsync(owner);
    }

    private async Task ReadOnAsync(QueryOwner owner)
    {
        var (partition, offset) = owner.Positions.First(position => position.Partition.Partition == 0);
        var range = await _hub.Log.RangeAsync(partition);
        await using var reader = _hub.Log.OpenReader(partition, offset);
        while (reader.Position < range.Next) await owner.ProcessAsync(await reader.ReadAsync(), default);
    }

    private async Task TickAsync(QueryOwner owner, TimeSpan later)
    {
        _time.Move(later);
        await owner.TickAsync(default);
    }

    private async Task<IEnumerable<int>> CountsAsync() => (await _hub.RowsAsync("counts")).Values
        .Select(row => JsonDocument.Parse(row).RootElement.GetProperty("n").GetInt32());
}
