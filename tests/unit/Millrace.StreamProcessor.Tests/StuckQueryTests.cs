using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Stores.Queries;
using Millrace.StreamProcessor.Sources;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>What goes wrong with one query, or with a look at all, leaves the others alone.</summary>
public class StuckQueryTests
{
    [Test]
    public async Task A_query_whose_stop_has_no_end_holds_up_no_other_and_goes_on_when_it_has()
    {
        await using var hub = new ProcessorFixture(more: StuckLog.Register);
        await hub.StartAsync();
        var (store, log) = (hub.Get<IQueryStore>(), (StuckLog)hub.Log);
        try
        {
            await SaveAsync(store, "stuck", 1);
            await Eventually.TrueAsync(async () => await store.StatusAsync("stuck") is not null, "it runs");
            log.Shut(Topics.Output("stuck"));
            await hub.AppendAsync(0, 1_000, "d", """{"v":1}""");
            await Eventually.TrueAsync(() => log.Waiting > 0, "its row is on its way");
            await SaveAsync(store, "stuck", 2);
            await SaveAsync(store, "calm", 1);
            await Eventually.TrueAsync(async () => await store.StatusAsync("calm") is not null, "another begins");
            Assert.That((await store.StatusAsync("stuck"))!.Version, Is.EqualTo(1));
        }
        finally
        {
            log.Open();
        }

        await Eventually.TrueAsync(async () => (await store.StatusAsync("stuck"))!.Version == 2, "the next begins");
    }

    [Test]
    public async Task A_look_that_fails_is_repeated_with_waits_that_double_up_to_the_most()
    {
        await using var hub = new ProcessorFixture();
        var time = new ManualTime();
        var options = Options.Create(new StreamProcessorOptions
        {
            RestartDelayMin = TimeSpan.FromMilliseconds(100),
            RestartDelayMax = TimeSpan.FromMilliseconds(300),
        });
        var looks = 0;
        using var stop = new CancellationTokenSource();
        var run = new StoredQueriesWatch(
            hub.Get<ControlWatch>(), options, time, NullLogger<StoredQueriesWatch>.Instance).RunAsync(_ =>
        {
            looks++;
            throw new IOException("It fails.");
        }, stop.Token);

        foreach (var waitMs in new[] { 100, 200, 300, 300 })
        {
            var before = looks;
            await Eventually.TrueAsync(() => time.Waiting == 1, "it waits");
            time.Advance(TimeSpan.FromMilliseconds(waitMs - 1));
            Assert.That((looks, time.Waiting), Is.EqualTo((before, 1)), $"a wait of {waitMs} ms");
            time.Advance(TimeSpan.FromMilliseconds(1));
            await Eventually.TrueAsync(() => looks == before + 1, "it looks again");
        }

        await stop.CancelAsync();
        await run;
    }

    private static async Task SaveAsync(IQueryStore store, string name, int version) =>
        Assert.That(await store.SaveAsync(new QueryConfig
        {
            Name = name,
            Version = version,
            Text = $"SELECT v INTO {name} FROM telemetry",
            Outputs = [name],
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        }, version - 1), Is.True);

    /// <summary>A log whose appends to one topic wait.</summary>
    private sealed class StuckLog(IEventLog log) : ForwardingLog(log)
    {
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile string? _topic;
        private int _waiting;

        public int Waiting => Volatile.Read(ref _waiting);

        public static void Register(IServiceCollection services)
        {
            var inner = services.Last(each => each.ServiceType == typeof(IEventLog)).ImplementationFactory!;
            services.AddSingleton<IEventLog>(provider => new StuckLog((IEventLog)inner(provider)));
        }

        public void Shut(string topic) => _topic = topic;

        public void Open() => _open.TrySetResult();

        public override async ValueTask<OffsetRange> AppendAsync(
            TopicPartition partition, RecordBatchBuilder records, CancellationToken ct = default)
        {
            if (partition.Topic == _topic)
            {
                Interlocked.Increment(ref _waiting);
                await _open.Task;
            }

            return await base.AppendAsync(partition, records, ct);
        }
    }
}
