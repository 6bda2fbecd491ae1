using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Saql;
using Millrace.Stores.Checkpoints;
using Millrace.Stores.Queries;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>Checkpoints on their way to a store that is slow, or fails.</summary>
public class SavingTests
{
    internal static readonly CheckpointKey Key = new("values", 1, 0);

    private ProcessorFixture _hub = null!;
    private GatedCheckpoints _store = null!;

    [SetUp]
    public async Task Open()
    {
        _hub = new ProcessorFixture(more: Register);
        await _hub.StartAsync();
        _store = (GatedCheckpoints)_hub.Get<ICheckpointStore>();
        await ApplyAsync(Key.Query, "SELECT v INTO vals FROM telemetry");
        await AnsweredAsync(1);
        await SavedAsync(1);
    }

    [TearDown]
    public async Task Close()
    {
        _store.Open();
        await _hub.DisposeAsync();
    }

    [Test]
    public async Task Records_are_answered_while_a_checkpoint_is_on_its_way()
    {
        _store.Shut();
        await AnsweredAsync(2);
        await Eventually.TrueAsync(() => _store.Waiting == 1, "a checkpoint is on its way");
        for (var records = 3; records <= 5; records++) await AnsweredAsync(records);
        Assert.That(_store.Waiting, Is.EqualTo(1), "the next waits for it");
        _store.Open();
        await SavedAsync(5);
    }

    [Test]
    public async Task What_no_checkpoint_has_grows_older_until_one_is_durable()
    {
        await Eventually.TrueAsync(() => UnsavedAge() == 0, "all is saved");
        _store.Shut();
        await AnsweredAsync(2);
        await Eventually.TrueAsync(() => UnsavedAge() > 0.3, "a record is in no checkpoint");
        _store.Open();
        await SavedAsync(2);
        await Eventually.TrueAsync(() => UnsavedAge() == 0, "it is in one");
    }

    [Test]
    public async Task Records_are_answered_while_the_store_is_away_by_an_owner_that_saves_when_it_is_back()
    {
        var owner = (await _store.Inner.FindAsync(Key))!.Epoch;
        Inner.Fail(nameof(ICheckpointStore.SaveAsync), int.MaxValue);
        await AnsweredAsync(2);
        await Eventually.TrueAsync(() => Inner.Failed > 2, "a checkpoint is tried again");
        for (var records = 3; records <= 5; records++) await AnsweredAsync(records);
        Inner.Fail(nameof(ICheckpointStore.SaveAsync), 0);
        await SavedAsync(5);
        Assert.That((await _store.Inner.FindAsync(Key))!.Epoch, Is.EqualTo(owner), "it went on");
    }

    [Test]
    public async Task Idle_sources_are_marked_when_the_store_is_back_by_the_owner_that_went_on_meanwhile()
    {
        await ApplyAsync("counted",
            "SELECT COUNT(*) AS n INTO counts FROM telemetry GROUP BY TumblingWindow(second, 1)");
        var key = new CheckpointKey("counted", 1, -1);
        await Eventually.TrueAsync(async () => await _store.Inner.FindAsync(key) is not null, "it has begun");
        Inner.Fail(nameof(ICheckpointStore.AddMarkAsync), int.MaxValue);
        var records = 1;

        // One that comes is not idle itself; the others' marks are tried again and again.
        await Eventually.TrueAsync(async () =>
        {
            await AnsweredAsync(++records);
            return Inner.Failed > 3;
        }, "marks are tried again", TimeSpan.FromSeconds(20));
        await Eventually.TrueAsync(
            async () => (await _store.Inner.FindAsync(key))!.Inputs.Sum(input => input.Offset) >= records,
            "records are taken and saved meanwhile");
        var owner = (await _store.Inner.FindAsync(key))!.Epoch;
        Inner.Fail(nameof(ICheckpointStore.AddMarkAsync), 0);
        await Eventually.TrueAsync(async () => (await _hub.RowsAsync("counts")).Values
            .Sum(row => JsonDocument.Parse(row).RootElement.GetProperty("n").GetInt32()) == records - 1,
            "all since it began are counted");
        Assert.That((await _store.Inner.FindAsync(key))!.Epoch, Is.EqualTo(owner), "it went on");
    }

    [Test]
    public async Task A_drain_does_not_wait_for_a_store_that_is_away_and_no_row_is_missing_or_doubled()
    {
        Inner.Fail(nameof(ICheckpointStore.SaveAsync), int.MaxValue);
        await AnsweredAsync(2);
        await Eventually.TrueAsync(() => Inner.Failed > 0, "a checkpoint fails");
        await AnsweredAsync(3);
        await _hub.RestartAsync().WaitAsync(TimeSpan.FromSeconds(20));
        _store = (GatedCheckpoints)_hub.Get<ICheckpointStore>();
        await SavedAsync(3);
        await AnsweredAsync(4);
    }

    [Test]
    public async Task A_drain_waits_for_the_one_that_is_on_its_way_and_saves_what_came_since()
    {
        _store.Shut();
        await AnsweredAsync(2);
        await Eventually.TrueAsync(() => _store.Waiting == 1, "a checkpoint is on its way");
        await AnsweredAsync(3);
        var restarted = _hub.RestartAsync();
        await Task.WhenAny(restarted, Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System));
        Assert.That(restarted.IsCompleted, Is.False, "it waits");
        _store.Open();
        await restarted;
        _store = (GatedCheckpoints)_hub.Get<ICheckpointStore>();
        await SavedAsync(3);
    }

    /// <summary>In seconds; -1 before there is a figure.</summary>
    private double UnsavedAge()
    {
        var age = -1.0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, all) =>
        {
            if (instrument.Name == "millrace.query.unsaved.age" && instrument.Meter.Scope == _hub.Get<IMeterFactory>())
                all.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, value, _, _) => age = value);
        listener.Start();
        listener.RecordObservableInstruments();
        return age;
    }

    private Faulty<ICheckpointStore> Inner => (Faulty<ICheckpointStore>)(object)_store.Inner;

    private static void Register(IServiceCollection services)
    {
        Faulty<ICheckpointStore>.Register(services);
        GatedCheckpoints.Register(services);
    }

    private async Task ApplyAsync(string name, string text)
    {
        var queries = _hub.Get<IQueryStore>();
        await queries.SaveAsync(new QueryConfig
        {
            Name = name,
            Version = 1,
            Text = text,
            Outputs = SaqlCompiler.Compile(text).Plan!.Outputs,
            CreatedAt = DateTimeOffset.UtcNow,
            UpdatedAt = DateTimeOffset.UtcNow,
        }, 0);
        await Eventually.TrueAsync(async () => await queries.StatusAsync(name) is not null, "it runs");
    }

    /// <summary>Another record comes, and there are so many rows.</summary>
    private async Task AnsweredAsync(int records)
    {
        await _hub.AppendAsync(0, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), "pump", $$"""{"v":{{records}}}""");
        await Eventually.TrueAsync(
            async () => (await _hub.RowsAsync("vals")).Count == records, $"{records} records are answered");
    }

    private Task SavedAsync(int records) => Eventually.TrueAsync(
        async () => (await _store.Inner.FindAsync(Key))?.Inputs.Single().Offset == records, $"{records} are saved");
}

/// <summary>The store of the fixture, whose saves of the one place that has records can be made to wait.</summary>
public class GatedCheckpoints : DispatchProxy
{
    private volatile TaskCompletionSource _gate = new();
    private int _waiting;

    public ICheckpointStore Inner { get; private set; } = null!;

    public int Waiting => Volatile.Read(ref _waiting);

    public static void Register(IServiceCollection services)
    {
        var inner = services.Last(each => each.ServiceType == typeof(ICheckpointStore)).ImplementationFactory!;
        services.AddSingleton(provider =>
        {
            var proxy = Create<ICheckpointStore, GatedCheckpoints>();
            var gated = (GatedCheckpoints)proxy;
            gated.Inner = (ICheckpointStore)inner(provider);
            gated.Open();
            return proxy;
        });
    }

    public void Shut() => _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _gate.TrySetResult();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.Name == nameof(ICheckpointStore.SaveAsync) && SavingTests.Key.Equals(args![0])
            ? new ValueTask<bool>(SaveAsync(targetMethod, args))
            : targetMethod.Invoke(Inner, BindingFlags.DoNotWrapExceptions, null, args, null);

    private async Task<bool> SaveAsync(MethodInfo method, object?[]? args)
    {
        Interlocked.Increment(ref _waiting);
        await _gate.Task;
        Interlocked.Decrement(ref _waiting);
        return await (ValueTask<bool>)method.Invoke(Inner, BindingFlags.DoNotWrapExceptions, null, args, null)!;
    }
}
