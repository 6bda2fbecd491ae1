using Millrace.Archiver.Upkeep;
using Millrace.Delta;
using Millrace.Primitives;
using Millrace.TestKit.ObjectStores;

namespace Millrace.Archiver.Tests;

/// <summary>
/// The archiver dies, or its store fails, while it archives, merges files and takes old hours out at once: each record
/// of the log is in the table once, or in an hour that is recorded as gone.
/// </summary>
public sealed class KeptInOrderCrashTests
{
    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    private ArchiverHarness _archive = null!;

    [SetUp]
    public async Task Make() => _archive = await new ArchiverHarness().With("RollRows", "20")
        .With("Upkeep:UpkeepInterval", "00:00:00").MadeAsync();

    [TearDown]
    public async Task Remove() => await _archive.DisposeAsync();

    [Test]
    public async Task Dying_again_and_again_neither_loses_nor_doubles_a_row([Range(1, 2)] int seed)
    {
        var random = new Random(seed);
        for (var life = 0; life < 8; life++)
        {
            var dieAt = random.Next(4, 20);
            var fault = random.Next(2) == 0 ? WriteFault.CrashBefore : WriteFault.CrashAfter;
            var writes = 0;
            var dying = new FaultyObjectStore(
                _archive.Objects, _ => Interlocked.Increment(ref writes) == dieAt ? fault : WriteFault.None);
            await LiveAsync(dying, random, until: () => dying.Crashed.IsCompleted);
        }

        await EachRecordOnceAsync();
    }

    [Test]
    public async Task A_store_that_fails_now_and_then_only_delays()
    {
        var random = new Random(1);
        var failing = new FaultyObjectStore(_archive.Objects, _ =>
        {
            lock (random)
            {
                return random.Next(8) switch
                {
                    0 => WriteFault.Refused,
                    1 => WriteFault.AnswerLost,
                    _ => WriteFault.None,
                };
            }
        });

        await LiveAsync(failing, new Random(2), until: () => failing.Writes >= 100);

        await EachRecordOnceAsync();
    }

    /// <summary>A process that does it all, while records come, not faster than it writes.</summary>
    private async Task LiveAsync(FaultyObjectStore store, Random random, Func<bool> until)
    {
        await _archive.StartAsync(store);
        using var stop = new CancellationTokenSource();
        var keeping = Task.Run(() => KeepInOrderAsync(stop.Token));
        while (!until())
        {
            var before = store.Writes;
            await SendAsync(random, 20);
            await TestKit.Eventually.TrueAsync(() => until() || store.Writes >= before + 3, "it writes");
        }

        await stop.CancelAsync();
        await keeping;
        await _archive.StopAsync();
    }

    private async Task KeepInOrderAsync(CancellationToken stop)
    {
        var (telemetry, retention) = (_archive.Get<ArchiveTables>().Telemetry, _archive.Get<ArchiveRetention>());
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await retention.RunAsync(telemetry, TimeSpan.FromDays(2), CancellationToken.None);
                await _archive.Get<Compactor>().RunOnceAsync(telemetry, all: true, CancellationToken.None);
            }
            catch (Exception e) when (e is CrashedException or IOException or MillraceException)
            {
                // The next one makes up for it.
            }
        }
    }

    /// <summary>Most of the last two hours; some of hours that retention takes.</summary>
    private async Task SendAsync(Random random, int records)
    {
        for (var i = 0; i < records; i++)
        {
            var age = TimeSpan.FromSeconds(random.Next(7_200)) + TimeSpan.FromDays(random.Next(4) == 0 ? 3 : 0);
            await _archive.SendAsync($"device-{random.Next(9)}", ((_now - age).ToUnixTimeMilliseconds(), $"{i}"));
        }
    }

    private async Task EachRecordOnceAsync()
    {
        await _archive.StartAsync();
        await _archive.CaughtUpAsync();
        var found = await ArchiveChecks.HoldsAsync(_archive);
        Assert.That(found.Sum(part => part.Retired), Is.GreaterThan(0), "old hours went");
        using var table = new DeltaTable(_archive.Objects, TelemetryTable.Root, TimeProvider.System);
        var done = await table.HistoryAsync().Select(version => version.Operation).ToListAsync();
        await TestContext.Out.WriteLineAsync(string.Join(' ', done.AsEnumerable().Reverse()));
        Assert.That(done, Does.Contain("OPTIMIZE"), "files were merged");
    }
}
