using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;
using Millrace.Contracts;
using Millrace.Stores.Checkpoints;

namespace Millrace.Contract.Tests.Stores;

public abstract class CheckpointStoreContract : StoreContract<ICheckpointStore>
{
    private static readonly CheckpointKey Key = new("q", 1, 3);
    private static readonly TopicPartition Input = new(Topics.Telemetry, 3);

    [Test]
    public async Task An_older_owner_can_neither_save_nor_mark()
    {
        var older = await Store.RaiseEpochAsync(Key);
        var newer = await Store.RaiseEpochAsync(Key);

        Assert.That(newer, Is.GreaterThan(older));
        Assert.That(await Store.SaveAsync(Key, newer, At(10)), Is.True);
        Assert.That(await Store.SaveAsync(Key, older, At(20)), Is.False);
        Assert.That(await Store.AddMarkAsync(Key, older, new TimeMark(Input, 30, 1)), Is.False);
        Assert.That((await Store.FindAsync(Key))!.Inputs.Single().Offset, Is.EqualTo(10));
        Assert.That(await Store.MarksAsync(Key), Is.Empty);
    }

    [Test]
    public async Task Epochs_of_racing_owners_are_all_different()
    {
        var epochs = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => Task.Run(async () => await Store.RaiseEpochAsync(Key))));
        Assert.That(epochs, Is.Unique);
    }

    [Test]
    public async Task Of_owners_that_race_none_saves_once_a_newer_one_has_taken_over()
    {
        // Each owner takes over, then saves until it is told that it is stale; what it saves names its epoch.
        var raised = 0L;
        var lateSaves = new ConcurrentBag<(long Epoch, long Newer)>();
        await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Task.Run(async () =>
        {
            var epoch = await Store.RaiseEpochAsync(Key);
            InterlockedMax(ref raised, epoch);
            for (var i = 0; i < 20; i++)
            {
                var newer = Interlocked.Read(ref raised);
                if (!await Store.SaveAsync(Key, epoch, At(epoch))) return;
                if (newer > epoch) lateSaves.Add((epoch, newer));
                if (!await Store.AddMarkAsync(Key, epoch, new TimeMark(Input, epoch, i))) return;
            }
        })));

        Assert.That(lateSaves, Is.Empty);
        var last = Interlocked.Read(ref raised);
        Assert.That((await Store.FindAsync(Key))!.Inputs.Single().Offset, Is.EqualTo(last));
        Assert.That(await Store.MarksAsync(Key), Is.EqualTo(new[] { new TimeMark(Input, last, 19) }));
    }

    [Test]
    public async Task Epochs_checkpoints_and_marks_outlive_a_restart()
    {
        var epoch = await Store.RaiseEpochAsync(Key);
        foreach (var offset in new[] { 5L, 10, 12 })
            await Store.AddMarkAsync(Key, epoch, new TimeMark(Input, offset, 7));
        await Store.SaveAsync(Key, epoch, At(10));
        Reopen();

        var found = (await Store.FindAsync(Key))!;
        Assert.That(found.State, Is.EqualTo(new byte[] { 9, 8 }));
        Assert.That(found.Outputs, Is.EqualTo(new[] { new PartitionOffset(new TopicPartition("alerts", 3), 4) }));
        Assert.That(found.SavedAt, Is.EqualTo(Noon));
        Assert.That(await Store.MarksAsync(Key),
            Is.EqualTo(new[] { new TimeMark(Input, 10, 7), new TimeMark(Input, 12, 7) }));
        Assert.That(await Store.RaiseEpochAsync(Key), Is.GreaterThan(epoch));
    }

    [Test]
    public async Task A_late_letter_is_added_once_and_numbered_by_its_input()
    {
        var other = Input with { Partition = 2 };
        var epoch = await Store.RaiseEpochAsync(Key);
        Assert.That(await Store.AddLateAsync(Key, epoch, Input, 20, Letter(1)), Is.EqualTo(LateOutcome.Added));
        Assert.That(await Store.AddLateAsync(Key, epoch, other, 5, Letter(2)), Is.EqualTo(LateOutcome.Added));
        Assert.That(await Store.AddMarkAsync(Key, epoch, new TimeMark(Input, 20, 9)), Is.True);
        Assert.That(await Store.AddLateAsync(Key, epoch, Input, 30, Letter(3)), Is.EqualTo(LateOutcome.Added));
        Assert.That(await Store.AddLateAsync(Key, epoch, Input, 30, Letter(1)), Is.EqualTo(LateOutcome.Known));
        Reopen();

        var marks = await Store.MarksAsync(Key);
        Assert.That(marks.Select(m => (m.Input, m.Offset, (m as LateMark)?.Number, (m as LateMark)?.Letter?.Id)),
            Is.EqualTo(new (TopicPartition, long, int?, string?)[]
            {
                (Input, 20, 1, Letter(1).Id), (other, 5, 1, Letter(2).Id), (Input, 20, null, null),
                (Input, 30, 2, Letter(3).Id),
            }));
    }

    [Test]
    public async Task A_covered_letter_is_let_go_but_stays_known()
    {
        var epoch = await Store.RaiseEpochAsync(Key);
        await Store.AddLateAsync(Key, epoch, Input, 9, Letter(1));
        await Store.AddLateAsync(Key, epoch, Input, 10, Letter(2));
        await Store.SaveAsync(Key, epoch, At(10));

        Assert.That((await Store.MarksAsync(Key)).Cast<LateMark>().Select(m => m.Number), Is.EqualTo(new[] { 2 }));
        Assert.That(await Store.AddLateAsync(Key, epoch, Input, 11, Letter(1)), Is.EqualTo(LateOutcome.Known));
        Assert.That(await Store.AddLateAsync(Key, epoch, Input, 11, Letter(3)), Is.EqualTo(LateOutcome.Added));
        Assert.That((await Store.MarksAsync(Key)).Cast<LateMark>().Select(m => m.Number), Is.EqualTo(new[] { 2, 3 }));
    }

    [Test]
    public async Task A_letter_that_was_refused_keeps_its_number_and_may_be_added_again()
    {
        var epoch = await Store.RaiseEpochAsync(Key);
        await Store.AddLateAsync(Key, epoch, Input, 9, Letter(1));
        await Store.RefuseLateAsync(Key, Letter(1).Id);
        Assert.That(await Store.AddLateAsync(Key, epoch, Input, 9, Letter(1)), Is.EqualTo(LateOutcome.Added));

        var marks = (await Store.MarksAsync(Key)).Cast<LateMark>().ToList();
        Assert.That(marks.Select(m => (m.Number, m.Letter?.Id)),
            Is.EqualTo(new (int, string?)[] { (1, null), (2, Letter(1).Id) }));
    }

    [Test]
    public async Task A_stale_owner_adds_no_letter_and_a_deleted_query_forgets_its_own()
    {
        var older = await Store.RaiseEpochAsync(Key);
        var newer = await Store.RaiseEpochAsync(Key);
        Assert.That(await Store.AddLateAsync(Key, older, Input, 9, Letter(1)), Is.EqualTo(LateOutcome.Stale));
        await Store.AddLateAsync(Key, newer, Input, 9, Letter(1));
        await Store.DeleteAsync(Key.Query, Key.Version);

        Assert.That(await Store.MarksAsync(Key), Is.Empty);
        var last = await Store.RaiseEpochAsync(Key);
        Assert.That(await Store.AddLateAsync(Key, last, Input, 9, Letter(1)), Is.EqualTo(LateOutcome.Added));
    }

    [Test]
    public async Task Marks_stay_in_the_order_of_their_adding_until_their_own_input_has_passed_them()
    {
        var other = new TopicPartition("out.x", 3);
        var epoch = await Store.RaiseEpochAsync(Key);
        var marks = new[]
        {
            new TimeMark(Input, 20, 1), new TimeMark(other, 5, 2), new TimeMark(Input, 10, 3),
            new TimeMark(other, 30, 4),
        };
        foreach (var mark in marks) Assert.That(await Store.AddMarkAsync(Key, epoch, mark), Is.True);
        Assert.That(await Store.MarksAsync(Key), Is.EqualTo(marks));

        await Store.SaveAsync(Key, epoch, At(15));
        Assert.That(await Store.MarksAsync(Key), Is.EqualTo(new[] { marks[0], marks[1], marks[3] }));
        Assert.That(await Store.MarksAsync(Key with { Partition = 2 }), Is.Empty);
    }

    [Test]
    public async Task Of_an_input_that_stays_idle_one_mark_is_kept_with_the_latest_time()
    {
        var other = Input with { Partition = 2 };
        var epoch = await Store.RaiseEpochAsync(Key);
        for (var tick = 1; tick <= 20; tick++)
        {
            if (tick == 10) epoch = await Store.RaiseEpochAsync(Key);
            Assert.That(await Store.AddMarkAsync(Key, epoch, new TimeMark(Input, 20, tick)), Is.True);
            Assert.That(await Store.AddMarkAsync(Key, epoch, new TimeMark(other, 5, tick)), Is.True);
            if (tick % 7 == 0) await Store.SaveAsync(Key, epoch, At(20));
        }

        // The clock of another owner may be behind.
        await Store.AddMarkAsync(Key, epoch, new TimeMark(Input, 20, 3));
        Assert.That(await Store.AddMarkAsync(Key, epoch - 1, new TimeMark(other, 5, 30)), Is.False);
        Reopen();
        Assert.That(await Store.MarksAsync(Key),
            Is.EqualTo(new[] { new TimeMark(Input, 20, 20), new TimeMark(other, 5, 20) }));
        await Store.SaveAsync(Key, epoch, At(21));
        Assert.That(await Store.MarksAsync(Key), Is.EqualTo(new[] { new TimeMark(other, 5, 20) }));
    }

    [Test]
    public async Task A_mark_does_not_take_the_place_of_one_that_a_letter_or_a_record_came_behind()
    {
        var epoch = await Store.RaiseEpochAsync(Key);
        var limit = TimeMark.Limit(Input, 21, 5_000);
        await Store.AddMarkAsync(Key, epoch, new TimeMark(Input, 20, 1));
        await Store.AddLateAsync(Key, epoch, Input, 20, Letter(1));
        await Store.AddMarkAsync(Key, epoch, new TimeMark(Input, 20, 2));
        await Store.AddMarkAsync(Key, epoch, new TimeMark(Input, 21, 3));
        await Store.AddMarkAsync(Key, epoch, limit);
        await Store.AddMarkAsync(Key, epoch, new TimeMark(Input, 21, 4));

        var marks = await Store.MarksAsync(Key);
        Assert.That(marks.OfType<TimeMark>(), Is.EqualTo(new[]
        {
            new TimeMark(Input, 20, 1), new TimeMark(Input, 20, 2), new TimeMark(Input, 21, 3), limit,
            new TimeMark(Input, 21, 4),
        }));
        Assert.That(marks[1], Is.TypeOf<LateMark>());
        await Store.SaveAsync(Key, epoch, At(21));
        Assert.That(await Store.MarksAsync(Key),
            Is.EqualTo(new[] { new TimeMark(Input, 21, 3), limit, new TimeMark(Input, 21, 4) }));
    }

    /// <summary>Of several inputs some have been read further at each save, and letters came between.</summary>
    [Test]
    public async Task Marks_that_come_and_go_are_those_that_no_input_has_passed()
    {
        var random = new Random(3);
        TopicPartition[] inputs = [Input, Input with { Partition = 4 }, Input with { Partition = 5 }];
        var (offsets, letters) = (new long[inputs.Length], 0);
        var expected = new List<(TopicPartition Input, long Offset, long Time)>();
        var epoch = await Store.RaiseEpochAsync(Key);
        for (var step = 1; step <= 150; step++)
        {
            var at = random.Next(inputs.Length);
            var (input, offset) = (inputs[at], offsets[at]);
            switch (random.Next(8))
            {
                case 0:
                    await Store.AddLateAsync(Key, epoch, input, offset, Letter(++letters));
                    expected.Add((input, offset, 0));
                    break;
                case 1:
                    await Store.SaveAsync(Key, epoch, new Checkpoint(
                        [.. inputs.Zip(offsets, (one, read) => new PartitionOffset(one, read))], [], [], Noon));
                    expected.RemoveAll(mark => mark.Offset < offsets[Array.IndexOf(inputs, mark.Input)]);
                    break;
                case 2 or 3 or 4:
                    offsets[at]++;
                    break;
                default:
                    await Store.AddMarkAsync(Key, epoch, new TimeMark(input, offset, step));
                    var last = expected.FindLastIndex(mark => mark.Input == input);
                    if (last >= 0 && expected[last].Offset == offset && expected[last].Time > 0)
                        expected[last] = (input, offset, step);
                    else expected.Add((input, offset, step));
                    break;
            }

            var found = await Store.MarksAsync(Key);
            Assert.That(found.Select(mark => (mark.Input, mark.Offset, (mark as TimeMark)?.ArrivalMs ?? 0)),
                Is.EqualTo(expected), $"step {step}");
        }
    }

    [Test]
    public async Task Keys_do_not_mix()
    {
        var keys = new[] { Key, Key with { Query = "r" }, Key with { Version = 2 }, Key with { Partition = -1 } };
        for (var i = 0; i < keys.Length; i++)
        {
            var epoch = await Store.RaiseEpochAsync(keys[i]);
            await Store.SaveAsync(keys[i], epoch, At(i));
            await Store.AddMarkAsync(keys[i], epoch, new TimeMark(Input, i, i));
        }

        await Store.DeleteAsync(Key.Query, Key.Version);
        for (var i = 0; i < keys.Length; i++)
        {
            var gone = keys[i] == Key || keys[i] == keys[3];
            Assert.That((await Store.FindAsync(keys[i]))?.Inputs.Single().Offset, Is.EqualTo(gone ? null : (long?)i));
            Assert.That(await Store.MarksAsync(keys[i]), Has.Count.EqualTo(gone ? 0 : 1));
        }
    }

    [Test]
    public async Task Deleting_a_query_leaves_nothing_that_its_owner_could_bring_back()
    {
        var epoch = await Store.RaiseEpochAsync(Key);
        await Store.SaveAsync(Key, epoch, At(10));
        await Store.DeleteAsync(Key.Query, Key.Version);

        Assert.That(await Store.FindAsync(Key), Is.Null);
        Assert.That(await Store.SaveAsync(Key, epoch, At(20)), Is.False);
        Assert.That(await Store.AddMarkAsync(Key, epoch, new TimeMark(Input, 1, 1)), Is.False);
        Assert.That(await Store.RaiseEpochAsync(Key), Is.GreaterThan(epoch));
    }

    [Test]
    public async Task A_large_state_comes_back_whole()
    {
        var state = new byte[5_000_000];
        new Random(1).NextBytes(state);
        var epoch = await Store.RaiseEpochAsync(Key);
        await Store.SaveAsync(Key, epoch, At(1) with { State = state });
        Assert.That((await Store.FindAsync(Key))!.State.AsSpan().SequenceEqual(state), Is.True);
        await Store.SaveAsync(Key, epoch, At(2) with { State = [] });
        Assert.That((await Store.FindAsync(Key))!.State, Is.Empty);
    }

    [Test]
    public async Task Of_a_state_that_changes_in_a_place_only_that_place_is_written_again()
    {
        var state = new byte[5_000_000];
        new Random(1).NextBytes(state);
        var epoch = await Store.RaiseEpochAsync(Key);
        await Store.SaveAsync(Key, epoch, At(1) with { State = state });
        var written = 0L;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (found, self) =>
        {
            if (found.Name == "millrace.stores.checkpoint.written") self.EnableMeasurementEvents(found);
        };
        listener.SetMeasurementEventCallback<long>((_, bytes, _, _) => Interlocked.Add(ref written, bytes));
        listener.Start();
        state = [.. state[..2_000_000], 1, 2, 3, .. state[2_000_100..]];
        await Store.SaveAsync(Key, epoch, At(2) with { State = state });

        Assert.That(written, Is.InRange(1, 1_500_000));
        Assert.That((await Store.FindAsync(Key))!.State.AsSpan().SequenceEqual(state), Is.True);
    }

    [Test]
    public async Task A_state_that_grows_shrinks_and_changes_under_several_owners_comes_back_as_it_was_saved()
    {
        var random = new Random(7);
        List<byte> state = [];
        var epoch = await Store.RaiseEpochAsync(Key);
        for (var round = 0; round < 25; round++)
        {
            if (random.Next(4) == 0) epoch = await Store.RaiseEpochAsync(Key);
            if (random.Next(6) == 0) Reopen();
            var at = random.Next(state.Count + 1);
            state.RemoveRange(at, Math.Min(random.Next(600_000), state.Count - at));
            var more = new byte[random.Next(900_000)];
            if (random.Next(3) > 0) random.NextBytes(more);
            state.InsertRange(at, more);
            await Store.SaveAsync(Key, epoch, At(round) with { State = [.. state] });
            var found = (await Store.FindAsync(Key))!;
            Assert.That((found.Inputs[0].Offset, found.Epoch), Is.EqualTo((round, epoch)));
            Assert.That(found.State.AsSpan().SequenceEqual(CollectionsMarshal.AsSpan(state)), Is.True, $"{round}");
        }
    }

    private static Checkpoint At(long offset) => new([new PartitionOffset(Input, offset)],
        [new PartitionOffset(new TopicPartition("alerts", 3), 4)], [9, 8], Noon);

    private static DeadLetter Letter(int offset) => new(
        DeadLetterStages.Query, "q", 1, Topics.Telemetry, 3, offset, 0, "SQ-0103", "It failed.", Noon, Noon, null, 7,
        [new DeadLetterHeader("content-type", "application/json"u8.ToArray())], "{}"u8.ToArray());
}
