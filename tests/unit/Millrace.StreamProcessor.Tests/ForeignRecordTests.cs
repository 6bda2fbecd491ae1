using System.Runtime.CompilerServices;
using System.Text;
using Millrace.Contracts;
using Millrace.Stores.Alerts;
using Millrace.Stores.DeadLetters;
using Millrace.Stores.Queries;
using Millrace.Stores.Telemetry;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>What any producer may put into a topic harms nothing else: it is a dead letter of each reader.</summary>
public class ForeignRecordTests
{
    private const long Micros = 1_780_000_000_000_000;

    private ProcessorFixture _hub = null!;

    [SetUp]
    public async Task Open() => await (_hub = new ProcessorFixture()).StartAsync();

    [TearDown]
    public async Task Close() => await _hub.DisposeAsync();

    [TestCase(Micros)]
    [TestCase(4_102_444_800_000)]
    [TestCase(long.MaxValue)]
    [TestCase(long.MinValue)]
    public async Task A_record_whose_time_is_not_believed_changes_nothing_of_those_behind_it(long timestampMs)
    {
        await ApplyAsync(
            "counts", "SELECT COUNT(*) AS n INTO counts FROM telemetry GROUP BY TumblingWindow(second, 1)");
        await ApplyAsync("times", "SELECT v, EventEnqueuedUtcTime AS t INTO times FROM telemetry TIMESTAMP BY at");
        await _hub.AppendAsync(1, Now, "pump", Body(1));
        await _hub.AppendAsync(1, timestampMs, "pump", Body(2));
        await _hub.AppendAsync(1, Now, "pump", Body(3));

        await SoonAsync(async () => (await _hub.RowsAsync("times")).Count == 2);
        await SoonAsync(async () => (await _hub.RowsAsync("counts")).Values.Sum(Number) == 2);
        var store = _hub.Get<ITelemetryStore>();
        await SoonAsync(async () => await store.CountAsync() == 2);
        var latest = await store.LatestAsync("pump");
        Assert.That(Encoding.UTF8.GetString(latest!.Body), Does.Contain("\"v\":3"));
        var letters = _hub.Get<IDeadLetterStore>();
        await SoonAsync(async () => await letters.CountAsync() == 3);
        Assert.That((await letters.ListAsync(new DeadLetterFilter())).Items
            .Select(item => (item.Letter.ErrorCode, item.Letter.Query, item.Letter.TimestampMs)), Is.EquivalentTo(new[]
        {
            ("SP-0013", (string?)null, timestampMs), ("SQ-0111", "counts", timestampMs),
            ("SQ-0111", "times", timestampMs),
        }));
    }

    [Test]
    public async Task A_record_that_is_a_little_ahead_is_taken()
    {
        await _hub.AppendAsync(1, Now + 3_000_000, "pump", Body(1));

        await SoonAsync(async () => await _hub.Get<ITelemetryStore>().CountAsync() == 1);
    }

    [Test]
    public async Task An_alert_of_another_producer_with_a_bad_time_is_a_dead_letter_and_the_next_is_stored()
    {
        await AlertAsync(Micros, null);
        await AlertAsync(Now, "99999999999999999");
        await AlertAsync(Now, null);

        await SoonAsync(async () => (await _hub.Get<IAlertStore>().QueryAsync(new AlertFilter())).Items.Count == 1);
        var letters = _hub.Get<IDeadLetterStore>();
        await SoonAsync(async () => await letters.CountAsync() == 2);
        Assert.That((await letters.ListAsync(new DeadLetterFilter())).Items.Select(item => item.Letter.ErrorCode),
            Has.All.EqualTo("SP-0013"));
    }

    [Test]
    public async Task A_record_with_cut_headers_is_a_dead_letter()
    {
        await ApplyAsync("each", "SELECT v INTO each FROM telemetry");
        await AppendAsync(Body(1), Encoding.UTF8.GetString(RecordDefects.CutHeader), "70000"u8.ToArray());
        await _hub.AppendAsync(1, Now, "pump", Body(2));

        await SoonAsync(async () => (await _hub.RowsAsync("each")).Count == 1);
        var letters = _hub.Get<IDeadLetterStore>();
        await SoonAsync(async () => await letters.CountAsync() == 2);
        Assert.That((await letters.ListAsync(new DeadLetterFilter())).Items.Select(item => item.Letter.ErrorCode),
            Is.EquivalentTo(new[] { "SP-0014", "SQ-0112" }));
    }

    [TestCase(3)]
    [TestCase(16)]
    public async Task The_header_that_lines_of_files_have_means_nothing_in_the_log(int bytes)
    {
        await ApplyAsync("each", "SELECT v, EventProcessedUtcTime AS t INTO each FROM telemetry");
        await AppendAsync(Body(1), "file-line-times", [.. Enumerable.Repeat((byte)1, bytes)]);

        await SoonAsync(async () => (await _hub.RowsAsync("each")).Count == 1);
        var year = DateTimeOffset.UtcNow.Year;
        Assert.That((await _hub.RowsAsync("each")).Values.Single(), Does.Contain($"\"t\":\"{year}"));
    }

    private static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    private static string Body(int v) => $$"""{"v":{{v}},"at":"{{TimeProvider.System.GetUtcNow():O}}"}""";

    private static long Number(string json) =>
        System.Text.Json.JsonDocument.Parse(json).RootElement.GetProperty("n").GetInt64();

    private async Task AppendAsync(string body, string header, byte[] value)
    {
        using var records = new RecordBatchBuilder();
        records.Begin(Now, "pump"u8);
        records.AddHeader(Encoding.UTF8.GetBytes(header), value);
        records.End(Encoding.UTF8.GetBytes(body));
        await _hub.Log.AppendAsync(new TopicPartition(Topics.Telemetry, 1), records);
    }

    private async Task AlertAsync(long timestampMs, string? rowTime)
    {
        using var records = new RecordBatchBuilder();
        records.Begin(timestampMs, "pump"u8);
        if (rowTime is not null) records.AddHeader(OutputHeaders.RowTime, Encoding.UTF8.GetBytes(rowTime));
        records.End("""{"message":"hot"}"""u8);
        await _hub.Log.AppendAsync(new TopicPartition(Topics.Alerts, 1), records);
    }

    private async Task ApplyAsync(string name, string text)
    {
        var config = new QueryConfig
        {
            Name = name,
            Version = 1,
            Text = text,
            Options = new QueryOptions { StartFrom = "earliest" },
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        };
        await _hub.Get<IQueryStore>().SaveAsync(config, 0);
    }

    private static Task SoonAsync(
        Func<ValueTask<bool>> condition, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        Eventually.TrueAsync(condition, what);
}
