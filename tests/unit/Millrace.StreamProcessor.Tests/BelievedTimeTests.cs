using Microsoft.Extensions.DependencyInjection;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Saql;
using Millrace.Stores.Queries;
using Millrace.StreamProcessor.Queries;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>Which times are believed is for the clock to say, and what was said once stays so.</summary>
public class BelievedTimeTests
{
    private static readonly TopicPartition Input = new(Topics.Telemetry, 1);
    private ShiftedTime _clock = null!;
    private ProcessorFixture _hub = null!;

    [SetUp]
    public async Task Open()
    {
        _clock = new ShiftedTime();
        _hub = new ProcessorFixture(more: services => services.AddSingleton(
            new RecordClock(Microsoft.Extensions.Options.Options.Create(new EventLogOptions()), _clock)));
        await _hub.StartTopicsAsync();
    }

    [TearDown]
    public async Task Close() => await _hub.DisposeAsync();

    [Test]
    public async Task A_time_that_was_not_believed_is_not_by_the_next_owner_either_although_it_has_come()
    {
        var place = await PlaceAsync("SELECT v, EventProcessedUtcTime AS t INTO each FROM telemetry");
        await AppendAsync(1, ahead: TimeSpan.Zero);
        await AppendAsync(2, ahead: TimeSpan.FromHours(2));
        await AppendAsync(3, ahead: TimeSpan.Zero);
        SortedDictionary<string, string> rows;
        await using (var crashes = await TakeOverAsync(place))
        {
            await ReadAsync(crashes, 0);
            rows = await _hub.RowsAsync("each");
            Assert.That(rows, Has.Count.EqualTo(2));
        }

        _clock.Move(TimeSpan.FromHours(3));
        await using (var next = await TakeOverAsync(place))
        {
            await ReadAsync(next, 0);
            Assert.That(await _hub.RowsAsync("each"), Is.EqualTo(rows));
            await next.SaveAsync(default);
            await AppendAsync(4, ahead: TimeSpan.FromHours(2));
            await ReadAsync(next, 3);
        }

        Assert.That(await _hub.RowsAsync("each"), Has.Count.EqualTo(3), "behind a checkpoint the clock is asked again");
    }

    [Test]
    public async Task A_letter_of_a_record_whose_time_has_come_is_taken()
    {
        var place = await PlaceAsync("SELECT v INTO each FROM telemetry");
        await AppendAsync(1, ahead: TimeSpan.Zero);
        await AppendAsync(2, ahead: TimeSpan.FromHours(2));
        await using var owner = await TakeOverAsync(place);
        await ReadAsync(owner, 0);
        var letter = await LetterAsync();

        Assert.That((await owner.TakeLateAsync(letter, default)).Refusal?.ToString(), Does.Contain("SP-0008"));
        _clock.Move(TimeSpan.FromHours(3));
        Assert.That(await owner.TakeLateAsync(letter, default), Is.EqualTo(LateAnswer.Taken));
        Assert.That((await _hub.RowsAsync("each")).Values, Has.Some.Contains("\"v\":2"));
    }

    private Task AppendAsync(int v, TimeSpan ahead) => _hub.AppendAsync(
        Input.Partition, (TimeProvider.System.GetUtcNow() + ahead).ToUnixTimeMilliseconds(), "d", $$"""{"v":{{v}}}""");

    private async Task ReadAsync(QueryOwner owner, long from)
    {
        await using var reader = _hub.Log.OpenReader(Input, from);
        await owner.ProcessAsync(await reader.ReadAsync(), default);
    }

    private async Task<DeadLetter> LetterAsync()
    {
        await using var reader = _hub.Log.OpenReader(new TopicPartition(Topics.DeadLetter, 0), 0);
        foreach (var record in await reader.ReadAsync())
            return System.Text.Json.JsonSerializer.Deserialize(record.Value, ContractJson.Default.DeadLetter)!;
        throw new InvalidOperationException("There is none.");
    }

    private Task<QueryOwner> TakeOverAsync(QueryPlace place) => QueryOwner.TakeOverAsync(
        _hub.Get<QueryServices>(), place, new QueryProgress(place.Config, TimeProvider.System), default);

    private async Task<QueryPlace> PlaceAsync(string text)
    {
        var config = new QueryConfig
        {
            Name = "q",
            Version = 1,
            Text = text,
            Options = new QueryOptions { StartFrom = "earliest" },
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        };
        await _hub.Get<IQueryStore>().SaveAsync(config, 0);
        var places = await _hub.Get<QueryPlaces>().ResolveAsync(config, SaqlCompiler.Compile(text).Plan!, default);
        return places[Input.Partition];
    }
}
