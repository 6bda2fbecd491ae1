using System.Diagnostics;
using Millrace.Contracts;
using Millrace.Cql;
using Millrace.Primitives;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Cassandra;

/// <summary>The load, and how far it has come.</summary>
public partial class WarmWriterFaultTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private int _fleets;

    private static Task GoOnAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System);

    private static ShiftedTime Shifted(int hours)
    {
        var time = new ShiftedTime();
        time.Move(TimeSpan.FromHours(hours));
        return time;
    }

    private WarmFleet NextFleet(string name) => new(name, _fleets++);

    /// <summary>Has a fleet send while something happens, and then looks at what is stored of it.</summary>
    private async Task UnderLoadAsync(string name, Func<Task> happen)
    {
        var watch = Stopwatch.StartNew();
        var fleet = NextFleet(name);
        var epochs = new WarmEpochs(name);
        using var stop = new CancellationTokenSource();
        var sending = Task.WhenAll(fleet.SendAsync(_log, stop.Token), epochs.RaiseAsync(_reader, stop.Token));
        try
        {
            await StoredSoFarAsync("at first");
            await happen();
            await StoredSoFarAsync("when it is over");
        }
        finally
        {
            await stop.CancelAsync();
            await sending;
        }

        await IsStoredOnceAsync(fleet, watch);
        await epochs.AreOneOwnersEachAsync(_reader);
    }

    private async Task IsStoredOnceAsync(WarmFleet fleet, Stopwatch watch)
    {
        await StoredSoFarAsync("to the end");
        var happened = watch.Elapsed;
        await fleet.IsStoredOnceAsync(_reader);
        var count = await Patient.AskAsync(() => _reader.Telemetry.CountAsync());
        Assert.That(count, Is.EqualTo((await _log.EndsAsync()).Sum()), "rows of all");
        var letters = await _log.Log.RangeAsync(new TopicPartition(Topics.DeadLetter, 0));
        Assert.That(letters.Next, Is.Zero, "dead letters");
        TestContext.Out.WriteLine($"{fleet.Rows.Values.Sum(rows => rows.Count)} rows of {fleet.Rows.Count} devices in "
            + $"{happened}, looked at in {watch.Elapsed - happened}");
    }

    /// <summary>Returns when all is stored that stands in the log now.</summary>
    private async Task StoredSoFarAsync(string when)
    {
        var ends = await _log.EndsAsync();
        var alerts = await _log.AlertsEndAsync();
        await Eventually.TrueAsync(async () => await PositionsAsync() is { } stored
            && stored.Zip(ends).All(one => one.First >= one.Second), $"what was appended is stored, {when}", Patience);
        await Eventually.TrueAsync(async () => (await Patient.AskAsync(
            () => _reader.Alerts.PositionAsync(WarmLog.Alerts)))?.NextOffset >= alerts, $"alerts, {when}", Patience);
    }

    /// <summary>How far each partition is stored; null when the store does not answer.</summary>
    private async Task<long[]?> PositionsAsync()
    {
        try
        {
            return await AllPositionsAsync();
        }
        catch (MillraceException)
        {
            return null;
        }
    }

    private async ValueTask<long[]> AllPositionsAsync()
    {
        var positions = await Task.WhenAll(WarmLog.Telemetry.Select(
            partition => _reader.Telemetry.PositionAsync(partition).AsTask()));
        return [.. positions.Select(position => position?.NextOffset ?? 0)];
    }

    private async Task RestartWriterAsync()
    {
        if (_writer is not null) await _writer.DisposeAsync();
        _writer = new WarmWriterRun(_log, _set);
        await _writer.StartAsync();

        // The first waits for the schema, which three nodes on a busy machine take their time for.
        await _writer.SessionAsync();
    }

    private Task DownAsync(int node) => Eventually.TrueAsync(
        async () => !await IsUpAsync(node), $"node {node} is seen to be down", Patience);

    private Task UpAsync(int node) => Eventually.TrueAsync(
        async () => await IsUpAsync(node), $"node {node} is used again", Patience);

    private async ValueTask<bool> IsUpAsync(int number) => (await _writer.SessionAsync()).Nodes.Single(
        node => node.EndPoint.Address.GetAddressBytes()[3] == number).IsUp;

    /// <summary>Until the nodes see each other again, and not only the writer them.</summary>
    private Task AllAnswerAsync() => Eventually.TrueAsync(async () =>
    {
        try
        {
            var all = new SimpleStatement("SELECT next_offset FROM positions") { Consistency = Consistency.All };
            await (await _writer.SessionAsync()).ExecuteAsync(all);
            return true;
        }
        catch (CqlException)
        {
            return false;
        }
    }, "all copies answer", Patience);
}
