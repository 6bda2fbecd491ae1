using System.Text;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Primitives;
using Millrace.StreamProcessor.Queries;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>What one small record makes of itself must not stop those behind it.</summary>
public partial class OwnerTests
{
    private const string Each =
        "SELECT d.*, e.ArrayValue AS s INTO flat FROM telemetry d CROSS APPLY GetArrayElements(d.samples) AS e";

    [Test]
    public async Task Of_a_record_with_many_failing_elements_there_is_one_letter_that_says_how_many()
    {
        using var failed = new CounterReader("millrace.query.rows.failed");
        using var written = new CounterReader("millrace.stream.dead.letters");
        var place = (await PlacesAsync(await QueryAsync(Windows)))[0];
        var body = $"[{string.Join(',', Enumerable.Repeat("1", 100))},\"{new string('x', 200_000)}\"]";
        await _hub.AppendAsync(0, 1_000, "d", body);
        await using var owner = await TakeOverAsync(place);
        await owner.ProcessAsync(await BatchAsync(place.Sources[0].Partition), default);

        var letter = (await LettersAsync()).Single();
        Assert.That((letter.Element, letter.ErrorCode), Is.EqualTo((-1, "SP-0015")));
        Assert.That(letter.Reason, Does.Contain("101").And.Contain("SQ-"));
        Assert.That(Encoding.UTF8.GetString(letter.Value), Is.EqualTo(body));
        Assert.That((failed.Total, written.Total), Is.EqualTo((101, 1)));

        var answer = await owner.TakeLateAsync(letter, default);
        Assert.That(answer.Refusal?.ToString(), Does.Contain("SP-0008").And.Contain("other elements"));
    }

    [Test]
    public async Task Of_a_record_with_few_failing_elements_each_has_a_letter()
    {
        var place = (await PlacesAsync(await QueryAsync(Windows)))[0];
        await _hub.AppendAsync(0, 1_000, "d", """[1,{"v":40},"x",{"v":90}]""");
        await using var owner = await TakeOverAsync(place);
        await owner.ProcessAsync(await BatchAsync(place.Sources[0].Partition), default);

        var letters = await LettersAsync();
        Assert.That(letters.Select(letter => letter.Element), Is.EqualTo(new[] { 0, 2 }));
        Assert.That(letters[1].Reason, Does.Contain("Element 2"));
        Assert.That(await _hub.RowsAsync("alerts"), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_letter_that_the_log_does_not_take_in_full_is_written_without_its_record()
    {
        await ReopenAsync(("EventLog:AppendBytesMax", "1MiB"));
        var place = (await PlacesAsync(await QueryAsync(Windows)))[0];
        await _hub.AppendAsync(0, 1_000, "d", new string('x', 900_000));
        await _hub.AppendAsync(0, 1_000, "d", """{"v":90}""");
        await using var owner = await TakeOverAsync(place);
        await AnswerAsync(owner, place.Sources[0].Partition, until: 2);

        var letter = (await LettersAsync()).Single();
        Assert.That((letter.Offset, letter.Key, letter.Value.Length), Is.EqualTo((0, (byte[]?)null, 0)));
        Assert.That(letter.Reason, Does.Contain("telemetry/0"));
        Assert.That(await _hub.RowsAsync("alerts"), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Rows_of_one_record_may_be_more_than_one_append_takes()
    {
        var place = (await PlacesAsync(await QueryAsync(Each)))[0];
        var samples = string.Join(',', Enumerable.Range(0, 400));
        await _hub.AppendAsync(0, 1_000, "d", $$"""{"pad":"{{new string('x', 50_000)}}","samples":[{{samples}}]}""");
        await using var owner = await TakeOverAsync(place);
        await owner.ProcessAsync(await BatchAsync(place.Sources[0].Partition), default);

        Assert.That(await _hub.RowsAsync("flat"), Has.Count.EqualTo(400));
    }

    [Test]
    public async Task A_row_that_the_log_does_not_take_fails_alone()
    {
        await ReopenAsync(("EventLog:AppendBytesMax", "256KiB"));
        var place = (await PlacesAsync(await QueryAsync("SELECT v, CONCAT(t, t) AS tt INTO twice FROM telemetry")))[0];
        await _hub.AppendAsync(0, 1_000, "d", $$"""[{"v":1},{"v":2,"t":"{{new string('x', 150_000)}}"},{"v":3}]""");
        await using var owner = await TakeOverAsync(place);
        await owner.ProcessAsync(await BatchAsync(place.Sources[0].Partition), default);

        Assert.That(await _hub.RowsAsync("twice"), Has.Count.EqualTo(2));
        var letter = (await LettersAsync()).Single();
        Assert.That((letter.Offset, letter.Element, letter.ErrorCode), Is.EqualTo((0, 1, "SP-0016")));
        Assert.That(letter.Reason, Does.Contain(Topics.Output("twice")).And.Contain($"{256 << 10}"));
    }

    [Test]
    public async Task Nor_does_a_row_between_two_stages_take_others_with_it()
    {
        await ReopenAsync(("EventLog:AppendBytesMax", "256KiB"));
        using var failed = new CounterReader("millrace.query.rows.failed");
        var place = (await PlacesAsync(await QueryAsync(
            "SELECT v, MAX(t) AS t INTO most FROM telemetry GROUP BY v, TumblingWindow(second, 10)")))[0];
        using var record = new RecordBatchBuilder();
        record.Begin(1_000, "d"u8);
        record.End(Encoding.UTF8.GetBytes(
            $$"""[{"v":1,"t":"a"},{"v":2,"t":"{{new string('x', 300_000)}}"},{"v":3,"t":"b"}]"""));
        await using var owner = await TakeOverAsync(place);
        using var sent = new CounterReader("millrace.query.rows.repartitioned");
        await owner.ProcessAsync(
            new RecordBatch(place.Sources[0].Partition, 0, 1, record.Bytes.ToArray()), default);

        var letter = (await LettersAsync()).Single();
        Assert.That((letter.Offset, letter.Element, letter.ErrorCode), Is.EqualTo((0, 1, "SP-0016")));
        Assert.That(letter.Reason, Does.Contain(Topics.Repartition("q")).And.Contain($"{256 << 10}"));
        Assert.That((failed.Total, sent.Total), Is.EqualTo((1, 2)));
    }

    [Test]
    public async Task Rows_of_one_read_beyond_the_limit_stop_the_query()
    {
        await ReopenAsync(("StreamProcessor:ReadRowsBytesMax", "1MiB"));
        var place = (await PlacesAsync(await QueryAsync(Each)))[0];
        var samples = string.Join(',', Enumerable.Range(0, 400));
        await _hub.AppendAsync(0, 1_000, "d", $$"""{"pad":"{{new string('x', 5_000)}}","samples":[{{samples}}]}""");
        await using var owner = await TakeOverAsync(place);

        var stops = Assert.ThrowsAsync<MillraceException>(async () =>
            await owner.ProcessAsync(await BatchAsync(place.Sources[0].Partition), default));
        Assert.That(stops!.Error.ToString(), Does.Contain("SP-0017").And.Contain("flat/0"));
    }

    /// <summary>A window's row that fails is named after its group's first event, which may be long gone.</summary>
    [Test]
    public async Task A_failing_row_whose_record_is_deleted_is_a_letter_without_it()
    {
        var place = (await PlacesAsync(await QueryAsync(
            "SELECT 100 / (COUNT(*) - 2) AS x INTO sums FROM telemetry " +
            "GROUP BY IoTHub.ConnectionDeviceId, TumblingWindow(second, 10)")))[0];
        var log = new TrimmedLog(_hub.Log);
        var input = place.Sources[0].Partition;
        await using var owner = await QueryOwner.TakeOverAsync(
            ServicesOver(log), place, new QueryProgress(place.Config, TimeProvider.System), default);
        await _hub.AppendAsync(0, 1_000, "d", """{"v":1}""");
        await AnswerAsync(owner, input, until: 1);
        log.First = 1;
        await _hub.AppendAsync(0, 2_000, "d", """{"v":1}""");
        await _hub.AppendAsync(0, 60_000, "d", """{"v":1}""");
        await AnswerAsync(owner, input, until: 3);

        var letter = (await LettersAsync()).Single();
        Assert.That((letter.Offset, letter.Key, letter.Value.Length), Is.EqualTo((0, (byte[]?)null, 0)));
        Assert.That(letter.ErrorCode, Does.StartWith("SQ-"));
        Assert.That(letter.Reason, Does.Contain("deleted"));
    }

    private async Task ReopenAsync(params (string Key, string Value)[] settings)
    {
        await _hub.DisposeAsync();
        _hub = new ProcessorFixture(settings: settings.ToDictionary(one => one.Key, one => (string?)one.Value));
        await _hub.StartTopicsAsync();
    }

    private async Task AnswerAsync(QueryOwner owner, TopicPartition partition, long until)
    {
        var position = owner.Positions.Single(one => one.Partition == partition).Offset;
        await using var reader = _hub.Log.OpenReader(partition, position);
        while (reader.Position < until) await owner.ProcessAsync(await reader.ReadAsync(), default);
    }

    private async Task<List<DeadLetter>> LettersAsync()
    {
        var letters = new List<DeadLetter>();
        var topic = new TopicPartition(Topics.DeadLetter, 0);
        await using var reader = _hub.Log.OpenReader(topic, 0);
        while (reader.Position < (await _hub.Log.RangeAsync(topic)).Next) Collect(await reader.ReadAsync(), letters);
        return letters;
    }

    private static void Collect(RecordBatch batch, List<DeadLetter> letters)
    {
        foreach (var record in batch)
            letters.Add(JsonSerializer.Deserialize(record.Value, ContractJson.Default.DeadLetter)!);
    }

    /// <summary>What retention does to the telemetry.</summary>
    private sealed class TrimmedLog(IEventLog log) : ForwardingLog(log)
    {
        public long First { get; set; }

        public override IPartitionReader OpenReader(TopicPartition partition, long offset) =>
            partition.Topic == Contracts.Topics.Telemetry && offset < First
                ? throw EventLogErrors.Trimmed.With(partition).AsException()
                : base.OpenReader(partition, offset);
    }
}
