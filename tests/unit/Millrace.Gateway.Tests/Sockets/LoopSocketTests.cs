using System.Buffers;
using System.Net.Sockets;
using Millrace.Gateway.Sockets;

namespace Millrace.Gateway.Tests.Sockets;

[TestFixture(false)]
[TestFixture(true)]
[Platform("Linux")]
public class LoopSocketTests(bool tls)
{
    /// <summary>More than the buffers of two sockets take.</summary>
    private const int ManyBytes = 16 << 20;

    [Test]
    public async Task What_is_not_consumed_comes_again_with_what_follows()
    {
        await using var pair = await LoopPair.OpenAsync(tls);
        await pair.SendAsync("abc"u8.ToArray());
        var read = await pair.Socket.Input.ReadAsync();
        Assert.That(read.Buffer.ToArray(), Is.EqualTo("abc"u8.ToArray()));
        pair.Socket.Input.AdvanceTo(read.Buffer.GetPosition(1), read.Buffer.End);

        await pair.SendAsync("d"u8.ToArray());
        read = await pair.Socket.Input.ReadAsync();
        Assert.That(read.Buffer.ToArray(), Is.EqualTo("bcd"u8.ToArray()));
        pair.Socket.Input.AdvanceTo(read.Buffer.GetPosition(1));

        read = await pair.Socket.Input.ReadAsync();
        Assert.That(read.Buffer.ToArray(), Is.EqualTo("cd"u8.ToArray()), "not examined, so it comes at once");
        pair.Socket.Input.AdvanceTo(read.Buffer.GetPosition(1), read.Buffer.End);

        await pair.SendAsync("e"u8.ToArray());
        read = await pair.Socket.Input.ReadAsync();
        Assert.That(read.Buffer.ToArray(), Is.EqualTo("de"u8.ToArray()));
    }

    [Test]
    public async Task A_loop_that_has_read_does_what_it_is_to_do_for_others()
    {
        var turns = 0;
        var loop = LoopPair.NewLoop(() => Interlocked.Increment(ref turns));
        var pair = await LoopPair.OpenAsync(tls, loop: loop);
        await pair.SendAsync("abc"u8.ToArray());
        var read = await pair.Socket.Input.ReadAsync();
        pair.Socket.Input.AdvanceTo(read.Buffer.End);
        await pair.SendAsync("d"u8.ToArray());

        read = await pair.Socket.Input.ReadAsync();
        var before = Volatile.Read(ref turns);
        pair.Socket.Input.AdvanceTo(read.Buffer.End);
        await Task.Yield();
        Assert.That(() => Volatile.Read(ref turns), Is.GreaterThan(before).After(20).Seconds.PollEvery(5).MilliSeconds);
        await pair.DisposeAsync();
        await Task.Run(loop.Dispose);
    }

    /// <summary>What lies behind a read, for which there was no room, is read though no event tells of it.</summary>
    [Test]
    public async Task What_is_kept_grows_by_all_that_comes()
    {
        const int pieceBytes = 10_000;
        await using var pair = await LoopPair.OpenAsync(tls);
        var bytes = Random(30 * pieceBytes);
        for (var sent = pieceBytes; sent <= bytes.Length; sent += pieceBytes)
        {
            await pair.SendAsync(bytes.AsMemory(sent - pieceBytes, pieceBytes));
            for (var kept = 0L; kept < sent;)
            {
                var read = await pair.Socket.Input.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));
                kept = read.Buffer.Length;
                Assert.That(read.Buffer.FirstSpan.SequenceEqual(bytes.AsSpan(0, (int)kept)));
                pair.Socket.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
    }

    [Test]
    public async Task What_the_peer_has_taken_is_counted()
    {
        await using var pair = await LoopPair.OpenAsync(tls, clientReceiveBytes: 4_096);
        var flushing = pair.Socket.Output.WriteAsync(new byte[ManyBytes]).AsTask();
        Assert.That(flushing.IsCompleted, Is.False);
        Assert.That(pair.Socket.Delivered, Is.LessThan(ManyBytes / 2));
        var buffer = new byte[64 << 10];
        for (var received = 0; received < ManyBytes;) received += await pair.ReceiveAsync(buffer);
        await flushing;
        Assert.That(() => pair.Socket.Delivered,
            Is.GreaterThanOrEqualTo(ManyBytes).After(20).Seconds.PollEvery(5).MilliSeconds);
    }

    [Test]
    public async Task A_half_closed_peer_is_read_to_its_end_and_still_gets_its_answer()
    {
        await using var pair = await LoopPair.OpenAsync(tls);
        await pair.SendAsync("last words"u8.ToArray());
        await pair.EndAsync();
        var read = await pair.Socket.Input.ReadAsync();
        while (!read.IsCompleted)
        {
            pair.Socket.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            read = await pair.Socket.Input.ReadAsync();
        }

        Assert.That(read.Buffer.ToArray(), Is.EqualTo("last words"u8.ToArray()));
        await pair.Socket.Output.WriteAsync("heard"u8.ToArray());
        await pair.Socket.Output.CompleteAsync();
        pair.Socket.Input.AdvanceTo(read.Buffer.End);
        await pair.Socket.Input.CompleteAsync();
        Assert.That(await pair.ReceiveAllAsync(), Is.EqualTo("heard"u8.ToArray()));
    }

    [Test]
    public async Task A_reset_ends_the_read_that_waits_and_what_is_written()
    {
        await using var pair = await LoopPair.OpenAsync(tls);
        var reading = pair.Socket.Input.ReadAsync().AsTask();
        pair.Client.LingerState = new LingerOption(true, 0);
        pair.Client.Close();
        Assert.That((await reading).IsCompleted);
        Assert.That((await pair.Socket.Input.ReadAsync()).IsCompleted);
        var flush = await pair.Socket.Output.WriteAsync("to nobody"u8.ToArray());
        Assert.That(flush.IsCompleted);
    }

    [Test]
    public async Task An_abort_ends_the_read_and_the_flush_that_wait_and_resets_the_peer()
    {
        await using var pair = await LoopPair.OpenAsync(tls, clientReceiveBytes: 4_096);
        var reading = pair.Socket.Input.ReadAsync().AsTask();
        var flushing = pair.Socket.Output.WriteAsync(new byte[ManyBytes]).AsTask();
        Assert.That(flushing.IsCompleted, Is.False);
        pair.Socket.Abort();
        Assert.That((await reading).IsCompleted);
        Assert.That((await flushing).IsCompleted);
        await pair.Socket.Output.CompleteAsync();
        await pair.Socket.Input.CompleteAsync();
        var closed = pair.ReceiveAllAsync();
        Assert.That((await closed)?.Length ?? 0, Is.LessThan(ManyBytes));
    }

    [Test]
    public async Task A_cancelled_read_comes_back_with_what_there_is_and_the_next_one_waits()
    {
        await using var pair = await LoopPair.OpenAsync(tls);
        var reading = pair.Socket.Input.ReadAsync().AsTask();
        pair.Socket.Input.CancelPendingRead();
        var read = await reading;
        Assert.That(read.IsCanceled);
        pair.Socket.Input.AdvanceTo(read.Buffer.End);

        pair.Socket.Input.CancelPendingRead();
        Assert.That((await pair.Socket.Input.ReadAsync()).IsCanceled, "kept for the next read");
        reading = pair.Socket.Input.ReadAsync().AsTask();
        Assert.That(reading.IsCompleted, Is.False);
        await pair.SendAsync("x"u8.ToArray());
        read = await reading;
        Assert.That((read.IsCanceled, read.Buffer.Length), Is.EqualTo((false, 1L)));
    }

    [Test]
    public async Task Who_is_let_in_is_served_before_newcomers_who_came_first()
    {
        var loop = LoopPair.NewLoop();
        var pairs = await OpenAsync(50, loop);
        var known = pairs[^1];
        known.Socket.LetIn();
        using var isBusy = new ManualResetEventSlim();
        using var allHaveSent = new ManualResetEventSlim();
        var served = new List<LoopPair>();
        var reading = pairs.Select(async pair =>
        {
            await pair.Socket.Input.ReadAsync();
            served.Add(pair);
            if (pair != pairs[0]) return;
            isBusy.Set();
            allHaveSent.Wait();
        }).ToList();
        await pairs[0].SendAsync("x"u8.ToArray());
        Assert.That(isBusy.Wait(TimeSpan.FromSeconds(10)));
        foreach (var pair in pairs[1..]) await pair.SendAsync("x"u8.ToArray());
        allHaveSent.Set();
        await await Task.WhenAny(Task.WhenAll(reading), Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System));
        Assert.That(served, Is.EquivalentTo(pairs));
        Assert.That(served.IndexOf(known), Is.LessThan(5), "one turn of newcomers");
        foreach (var pair in pairs) await pair.DisposeAsync();
        await Task.Run(loop.Dispose);
    }

    [Test]
    public async Task Who_sends_little_is_served_before_the_rest_of_those_who_send_much()
    {
        const int many = 20;
        var loop = LoopPair.NewLoop();
        var pairs = await OpenAsync(many + 1, loop);
        var little = pairs[^1];
        var reads = 0;
        var readsBefore = 0;
        var served = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (var pair in pairs) pair.Socket.LetIn();
        _ = Task.Run(async () =>
        {
            await little.Socket.Input.ReadAsync();
            readsBefore = reads - readsBefore;
            served.SetResult();
        });
        foreach (var pair in pairs[..many]) _ = ReadSlowlyAsync(pair);
        foreach (var pair in pairs[..many]) _ = pair.SendAsync(new byte[1 << 20]);
        await served.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.That(readsBefore, Is.LessThan(many / 2), "reads of the others meanwhile");
        foreach (var pair in pairs) await pair.DisposeAsync();
        await Task.Run(loop.Dispose);

        async Task ReadSlowlyAsync(LoopPair pair)
        {
            while (true)
            {
                var read = await pair.Socket.Input.ReadAsync();
                if (read.IsCompleted) return;
                Thread.Sleep(2);
                pair.Socket.Input.AdvanceTo(read.Buffer.End);
                if (++reads != 5 * many) continue;
                readsBefore = reads;
                little.Send("x"u8);
            }
        }
    }

    [Test]
    public async Task While_the_peer_does_not_read_a_flush_waits_and_then_all_arrives()
    {
        await using var pair = await LoopPair.OpenAsync(tls, clientReceiveBytes: 4_096);
        var bytes = Random(ManyBytes);
        var flushing = pair.Socket.Output.WriteAsync(bytes).AsTask();
        Assert.That(flushing.IsCompleted, Is.False);
        var receiving = pair.ReceiveAllAsync();
        Assert.That((await flushing).IsCompleted, Is.False);
        await pair.Socket.Output.CompleteAsync();
        await pair.Socket.Input.CompleteAsync();
        Assert.That((await receiving)!.AsSpan().SequenceEqual(bytes));
    }

    [Test]
    public async Task What_was_not_sent_when_the_writer_completes_is_sent_before_the_socket_closes()
    {
        await using var pair = await LoopPair.OpenAsync(tls, clientReceiveBytes: 4_096);
        var bytes = Random(ManyBytes);
        bytes.CopyTo(pair.Socket.Output.GetMemory(bytes.Length));
        pair.Socket.Output.Advance(bytes.Length);
        await pair.Socket.Output.CompleteAsync();
        await pair.Socket.Input.CompleteAsync();
        Assert.That((await pair.ReceiveAllAsync())!.AsSpan().SequenceEqual(bytes));
    }

    [Test]
    public async Task What_was_sent_arrives_though_the_last_words_of_the_peer_are_never_read()
    {
        await using var pair = await LoopPair.OpenAsync(tls, clientReceiveBytes: 4_096);
        var bytes = Random(200_000);
        await pair.Socket.Output.WriteAsync(bytes);
        await pair.SendAsync("last words"u8.ToArray());
        await pair.EndAsync();
        pair.Socket.CompleteBoth();
        Assert.That(await pair.ReceiveAllAsync(), Is.EqualTo(bytes));
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(4)]
    public async Task Bytes_come_in_order_however_they_are_cut_kept_and_taken(int seed)
    {
        await using var pair = await LoopPair.OpenAsync(tls, seed: seed);
        var random = new Random(seed);
        var bytes = Random(4 << 20);
        var sending = SendAsync(pair, bytes, new Random(seed + 1_000));
        var taken = 0;
        while (true)
        {
            var read = await pair.Socket.Input.ReadAsync();
            if (random.Next(4) == 0) await Task.Yield();
            var length = (int)read.Buffer.Length;
            Assert.That(read.Buffer.FirstSpan.SequenceEqual(bytes.AsSpan(taken, length)), $"after {taken} bytes");
            if (read.IsCompleted)
            {
                Assert.That(taken + length, Is.EqualTo(bytes.Length));
                break;
            }

            var used = random.Next(3) == 0 ? random.Next(length + 1) : length;
            taken += used;
            var consumed = read.Buffer.GetPosition(used);
            pair.Socket.Input.AdvanceTo(consumed, random.Next(2) == 0 ? read.Buffer.End : consumed);
        }

        await sending;
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(4)]
    public async Task Both_sides_send_at_once_and_read_slowly_and_all_arrives(int seed)
    {
        await using var pair = await LoopPair.OpenAsync(tls, clientReceiveBytes: 4_096, seed: seed);
        var random = new Random(seed);
        var bytes = Random(4 << 20);
        var sending = SendAsync(pair, bytes, new Random(seed + 1_000));
        var flushWaits = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answering = AnswerAsync(pair, bytes, new Random(seed + 2_000), flushWaits);
        var receiving = ReceiveSlowlyAsync(pair, new Random(seed + 3_000), flushWaits.Task);
        var taken = 0;
        while (taken < bytes.Length)
        {
            var read = await pair.Socket.Input.ReadAsync();
            var length = (int)read.Buffer.Length;
            Assert.That(read.Buffer.FirstSpan.SequenceEqual(bytes.AsSpan(taken, length)), $"after {taken} bytes");
            taken += length;
            pair.Socket.Input.AdvanceTo(read.Buffer.End);
            if (random.Next(3) == 0) await Task.Yield();
        }

        await sending;
        await answering;
        pair.Socket.CompleteBoth();
        Assert.That((await receiving).AsSpan().SequenceEqual(bytes));
    }

    private async Task<List<LoopPair>> OpenAsync(int count, EventLoop loop)
    {
        var pairs = new List<LoopPair>();
        for (var i = 0; i < count; i++) pairs.Add(await LoopPair.OpenAsync(tls, loop: loop));
        return pairs;
    }

    private static async Task SendAsync(LoopPair pair, byte[] bytes, Random random)
    {
        for (var sent = 0; sent < bytes.Length;)
        {
            var count = Math.Min(bytes.Length - sent, 1 + random.Next(random.Next(2) == 0 ? 200 : 100_000));
            await pair.SendAsync(bytes.AsMemory(sent, count));
            sent += count;
            if (random.Next(3) == 0) await Task.Yield();
        }

        await pair.EndAsync();
    }

    private static async Task AnswerAsync(LoopPair pair, byte[] bytes, Random random, TaskCompletionSource flushWaits)
    {
        await Task.Yield();
        for (var sent = 0; sent < bytes.Length;)
        {
            var count = Math.Min(bytes.Length - sent, 1 + random.Next(random.Next(2) == 0 ? 200 : 100_000));
            var flush = pair.Socket.Output.WriteAsync(bytes.AsMemory(sent, count));
            if (!flush.IsCompleted) flushWaits.TrySetResult();
            Assert.That((await flush).IsCompleted, Is.False);
            sent += count;
        }
    }

    /// <summary>All that comes, read slowly, from when <paramref name="flushWaits"/> says so.</summary>
    private static async Task<byte[]> ReceiveSlowlyAsync(LoopPair pair, Random random, Task flushWaits)
    {
        await flushWaits.WaitAsync(TimeSpan.FromSeconds(30));
        var all = new List<byte>();
        var buffer = new byte[32 << 10];
        while (await pair.ReceiveAsync(buffer.AsMemory(0, 1 + random.Next(buffer.Length))) is > 0 and var got)
        {
            all.AddRange(buffer.AsSpan(0, got));
            if (random.Next(20) == 0) Thread.Sleep(1);
        }

        return [.. all];
    }

    private static byte[] Random(int count)
    {
        var bytes = new byte[count];
        new Random(1).NextBytes(bytes);
        return bytes;
    }
}
