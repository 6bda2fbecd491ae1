using System.Reflection;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Stores.Checkpoints;
using Millrace.StreamProcessor.Queries;

namespace Millrace.StreamProcessor.Tests;

/// <summary>Owners of both stages end between any two steps that are durable.</summary>
public partial class OwnerTests
{
    [TestCase(Values, "sums", 21)]
    [TestCase(Values, "sums", 22)]
    [TestCase(Looks, "back", 23)]
    [TestCase(Looks, "back", 24)]
    [TestCase(Crossed, "sums", 26)]
    [TestCase(Crossed, "sums", 27)]
    [TestCase("SELECT a.v AS x, System.Timestamp() AS t INTO pairs FROM telemetry a LEFT JOIN telemetry b ON " +
        "a.v = b.v AND DATEDIFF(second, a, b) BETWEEN 1 AND 3", "pairs", 25)]
    public async Task Owners_of_both_stages_may_die_between_any_two_durable_steps(string text, string output, int seed)
    {
        var random = new Random(seed);
        var config = await QueryAsync(text);
        await FillAsync(random, 800);
        var marks = new List<LateMark>();
        var places = await PlacesAsync(config);
        Assert.That(places, Has.Count.EqualTo(2 * ProcessorFixture.Partitions));
        var deaths = 0;
        for (var life = 0; life < 160; life++)
        {
            if (await DiesAsync(places[random.Next(places.Count)], random, random.Next(30), marks)) deaths++;
        }

        // At last somebody lives, and the first stage has sent all before the second looks.
        foreach (var place in places) await DiesAsync(place, random, int.MaxValue, marks);

        Assert.That(deaths, Is.GreaterThan(40));
        Assert.That(marks, Has.Count.GreaterThan(5));
        var expected = await _hub.UndisturbedAsync(config, output, complete: false, marks);
        Assert.That(expected, Is.Not.Empty);
        var found = await _hub.RowsAsync(output);
        foreach (var (id, row) in expected)
            Assert.That(found.GetValueOrDefault(id), Is.EqualTo(row), $"seed {seed}: {id}");
        Assert.That(found, Has.Count.EqualTo(expected.Count), $"seed {seed}");
        await EachRowStandsOnceBetweenAsync(config.Name);
    }

    /// <summary>Whether the owner died before it had answered all that was there.</summary>
    private async Task<bool> DiesAsync(QueryPlace place, Random random, int steps, List<LateMark>? marks = null)
    {
        var life = new Life(steps);
        try
        {
            await LiveAsync(place, random, life, marks);
            return false;
        }
        catch (IOException) when (life.IsOver)
        {
            // What was made durable of a letter before the end is taken by whoever comes next.
            foreach (var mark in (await _hub.Get<ICheckpointStore>().MarksAsync(place.Key)).OfType<LateMark>())
            {
                if (marks is not null) Note(marks, mark);
            }

            return true;
        }
    }

    private async Task LiveAsync(QueryPlace place, Random random, Life life, List<LateMark>? marks)
    {
        await using var owner = await QueryOwner.TakeOverAsync(
            ServicesOf(life), place, new QueryProgress(place.Config, TimeProvider.System), default);
        foreach (var (partition, position) in owner.Positions)
        {
            await using var reader = _hub.Log.OpenReader(partition, position);
            while (await reader.TryReadAsync(random.Next(300, 6_000)) is { } batch)
            {
                await owner.ProcessAsync(batch, default);
                if (marks is not null && place.Stage == QueryStage.Dealer && random.Next(2) == 0)
                    await TakeLateAsync(owner, place, random, marks);
                await MaySaveAsync(owner, random);
            }
        }
    }

    private QueryServices ServicesOf(Life life) => ServicesOver(
        Mortal<IEventLog>.Of(_hub.Log, life), Mortal<ICheckpointStore>.Of(_hub.Get<ICheckpointStore>(), life));

    /// <summary>Whoever reads with the epochs sees no row of a source twice in the topic itself.</summary>
    private async Task EachRowStandsOnceBetweenAsync(string query)
    {
        var rows = 0;
        for (var p = 0; p < ProcessorFixture.Partitions; p++)
        {
            var partition = new TopicPartition(Topics.Repartition(query), p);
            var epochs = new Dictionary<int, long>();
            var seen = new HashSet<(int, long, int)>();
            var end = (await _hub.Log.RangeAsync(partition)).Next;
            await using var reader = _hub.Log.OpenReader(partition, 0);
            while (reader.Position < end)
            {
                foreach (var record in await reader.ReadAsync())
                {
                    Assert.That(RepartitionRecord.TryRead(record.Value, out var head));
                    if (head.Epoch < epochs.GetValueOrDefault(head.Place)) continue;
                    epochs[head.Place] = head.Epoch;
                    if (head.Kind != RepartitionKind.Row) continue;
                    Assert.That(seen.Add((head.Source, head.Offset, head.Ordinal)), $"{partition} {head}");
                    rows++;
                }
            }
        }

        Assert.That(rows, Is.GreaterThan(100));
    }

    /// <summary>So many durable steps are left.</summary>
    private sealed class Life(int steps)
    {
        private int _left = steps;

        public bool IsOver => _left <= 0;

        public void Step()
        {
            if (Interlocked.Decrement(ref _left) < 0) throw new IOException("The process is dead.");
        }
    }

    /// <summary>What makes things durable as long as its process lives.</summary>
    private class Mortal<T> : DispatchProxy where T : class
    {
        private static readonly string[] Durable =
            ["AppendAsync", "CommitAsync", "SaveAsync", "RaiseEpochAsync", "AddMarkAsync", "AddLateAsync"];

        private T _inner = null!;
        private Life _life = null!;

        public static T Of(T inner, Life life)
        {
            var proxy = Create<T, Mortal<T>>();
            (((Mortal<T>)(object)proxy)._inner, ((Mortal<T>)(object)proxy)._life) = (inner, life);
            return proxy;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (Durable.Contains(targetMethod!.Name)) _life.Step();
            return targetMethod.Invoke(_inner, args);
        }
    }
}
