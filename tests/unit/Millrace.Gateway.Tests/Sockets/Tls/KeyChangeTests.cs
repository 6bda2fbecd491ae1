using System.Diagnostics.Metrics;
using Millrace.Gateway.Listeners;
using Millrace.Gateway.Sockets;
using Millrace.Primitives;
using Millrace.TestKit;

namespace Millrace.Gateway.Tests.Sockets.Tls;

/// <summary>Clients that change their keys, and have the server change its own, at any time, in any pieces.</summary>
[Platform("Linux")]
public class KeyChangeTests
{
    private const int Tls12 = 0x303, Tls13 = 0x304;
    private static readonly byte[] ClientHello = [1, 0, 0, 0];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>More than the buffers of two sockets take.</summary>
    private const int ManyBytes = 8 << 20;

    /// <summary>OpenSSL sends nothing between the pieces; the server may have nobody to receive the second.</summary>
    [Test]
    public async Task What_is_sent_between_the_pieces_arrives(
        [Values(1, 2, 3, 4)] int firstBytes, [Values] bool isReading, [Values] bool isAsked)
    {
        await using var one = await HandWritten.OpenAsync(Tls13);
        var update = RecordWriter.KeyUpdate(isAsked);
        one.Send(one.Records.Send("ask"u8), one.Records.Record(RecordWriter.Handshake, update.AsSpan(0, firstBytes)));
        await one.ReadsAsync("ask"u8.ToArray());
        var reading = isReading ? one.ReadsAsync("more"u8.ToArray()) : null;
        var flushing = one.Pair.Socket.Output.WriteAsync("answer"u8.ToArray()).AsTask();
        var rest = one.Records.Record(RecordWriter.Handshake, update.AsSpan(firstBytes));
        one.Records.ChangeKeys();
        one.Send(rest[..7]);
        await Eventually.TrueAsync(() => flushing.IsCompleted || !isReading || one.Pair.Unread == 0, "it is received");
        one.Send(rest[7..], one.Records.Send("more"u8));
        Assert.That((await flushing.WaitAsync(Patience)).IsCompleted, Is.False, "lost");
        Assert.That(await one.ReceiveAsync(6), Is.EqualTo("answer"u8.ToArray()));
        await (reading ?? one.ReadsAsync("more"u8.ToArray()));
        await one.AnswersAsync();
    }

    /// <summary>No event will tell of the second piece: it is there when the send learns of the first.</summary>
    [Test]
    public async Task What_is_sent_when_both_pieces_have_come_arrives()
    {
        await using var one = await HandWritten.OpenAsync(Tls13);
        one.Send(one.Records.Send("ask"u8), one.Records.Record(RecordWriter.Handshake, FirstPiece()));
        await one.ReadsAsync("ask"u8.ToArray());
        one.Send(one.Records.Record(RecordWriter.Handshake, RecordWriter.KeyUpdate(true).AsSpan(4)));
        one.Records.ChangeKeys();
        await Eventually.TrueAsync(() => one.Pair.Unread > 0, "it has come");
        var flushing = one.Pair.Socket.Output.WriteAsync("answer"u8.ToArray()).AsTask();
        Assert.That((await flushing.WaitAsync(Patience)).IsCompleted, Is.False);
        Assert.That(await one.ReceiveAsync(6), Is.EqualTo("answer"u8.ToArray()));
        await one.AnswersAsync();
    }

    /// <summary>The send receives what the event would have told of, before the loop sees that.</summary>
    [Test]
    public async Task What_comes_behind_the_second_piece_is_read_when_a_send_has_received_it()
    {
        var loop = LoopPair.NewLoop();
        await using (var one = await HandWritten.OpenAsync(Tls13, loop: loop))
        await using (var other = new LoopPair(loop: loop))
        {
            one.Send(one.Records.Send("ask"u8), one.Records.Record(RecordWriter.Handshake, FirstPiece()));
            await one.ReadsAsync("ask"u8.ToArray());
            var reading = one.ReadsAsync("more"u8.ToArray());
            using var goesOn = new ManualResetEventSlim();
            await HoldUpAsync(other, goesOn);
            var flushing = one.Pair.Socket.Output.WriteAsync("answer"u8.ToArray()).AsTask();
            one.Send(one.Records.Record(RecordWriter.Handshake, RecordWriter.KeyUpdate(true).AsSpan(4)));
            one.Records.ChangeKeys();
            one.Send(one.Records.Send("more"u8));
            await Eventually.TrueAsync(() => one.Pair.Unread > 0, "it has come");
            goesOn.Set();
            Assert.That((await flushing.WaitAsync(Patience)).IsCompleted, Is.False);
            await reading;
            Assert.That(await one.ReceiveAsync(6), Is.EqualTo("answer"u8.ToArray()));
        }

        await Task.Run(loop.Dispose);
    }

    /// <summary>Of the bytes that are left behind the first receive no event would tell.</summary>
    [Test]
    public async Task A_piece_that_is_longer_than_a_receive_is_received_to_its_end()
    {
        await using var one = await HandWritten.OpenAsync(Tls13);
        one.Send(one.Records.Send("ask"u8), one.Records.Record(RecordWriter.Handshake, FirstPiece()));
        await one.ReadsAsync("ask"u8.ToArray());
        var flushing = one.Pair.Socket.Output.WriteAsync("answer"u8.ToArray()).AsTask();
        one.Send(one.Records.Record(
            RecordWriter.Handshake, RecordWriter.KeyUpdate(true).AsSpan(4), padding: 3 * EventLoop.LightBytes));
        one.Records.ChangeKeys();
        Assert.That((await flushing.WaitAsync(Patience)).IsCompleted, Is.False);
        Assert.That(await one.ReceiveAsync(6), Is.EqualTo("answer"u8.ToArray()));
        await one.AnswersAsync();
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Who_is_gone_between_the_pieces_keeps_no_flush(bool isAborted)
    {
        await using var one = await HandWritten.OpenAsync(Tls13);
        one.Send(one.Records.Send("ask"u8), one.Records.Record(RecordWriter.Handshake, FirstPiece()));
        await one.ReadsAsync("ask"u8.ToArray());
        var flushing = one.Pair.Socket.Output.WriteAsync("answer"u8.ToArray()).AsTask();
        Assert.That(flushing.IsCompleted, Is.False);
        if (isAborted) one.Pair.Socket.Abort();
        else one.Client.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        Assert.That((await flushing.WaitAsync(Patience)).IsCompleted);
        one.Pair.Socket.CompleteBoth();
        await Eventually.TrueAsync(() => one.Tls.IsFreed, "it is freed");
    }

    [Test]
    public async Task Who_completes_between_the_pieces_has_all_sent()
    {
        await using var one = await HandWritten.OpenAsync(Tls13);
        one.Send(one.Records.Send("ask"u8), one.Records.Record(RecordWriter.Handshake, FirstPiece()));
        await one.ReadsAsync("ask"u8.ToArray());
        "last"u8.CopyTo(one.Pair.Socket.Output.GetSpan(4));
        one.Pair.Socket.Output.Advance(4);
        one.Pair.Socket.CompleteBoth();
        one.Send(one.Records.Record(RecordWriter.Handshake, RecordWriter.KeyUpdate(true).AsSpan(4)));
        Assert.That(await one.ReceiveAsync(5), Is.EqualTo("last"u8.ToArray()));
        await Eventually.TrueAsync(() => one.Tls.IsFreed, "it is freed");
    }

    [Test]
    public async Task While_the_socket_is_full_keys_change_and_what_comes_is_read([Values] bool isInPieces)
    {
        await using var one = await HandWritten.OpenAsync(Tls13, clientReceiveBytes: 4_096);
        var bytes = Random(ManyBytes);
        var flushing = one.Pair.Socket.Output.WriteAsync(bytes).AsTask();
        Assert.That(flushing.IsCompleted, Is.False);
        for (var i = 0; i < 3; i++)
        {
            var reading = one.ReadsAsync("ask"u8.ToArray());
            await SendKeyUpdateAsync(one, isInPieces);
            one.Send(one.Records.Send("ask"u8));
            await reading;
        }

        Assert.That(flushing.IsCompleted, Is.False);
        Assert.That((await one.ReceiveAsync(ManyBytes)).AsSpan().SequenceEqual(bytes));
        Assert.That((await flushing.WaitAsync(Patience)).IsCompleted, Is.False);
        await one.AnswersAsync();
    }

    [Test]
    public async Task When_there_is_room_between_the_pieces_the_rest_of_what_is_sent_follows_them()
    {
        await using var one = await HandWritten.OpenAsync(Tls13, clientReceiveBytes: 4_096);
        var bytes = Random(ManyBytes);
        var flushing = one.Pair.Socket.Output.WriteAsync(bytes).AsTask();
        Assert.That(flushing.IsCompleted, Is.False);
        one.Send(one.Records.Send("ask"u8), one.Records.Record(RecordWriter.Handshake, FirstPiece()));
        await one.ReadsAsync("ask"u8.ToArray());
        var receiving = one.ReceiveAsync(ManyBytes);
        await Eventually.TrueAsync(() => one.Tls.SendAwaitsPeer, "the socket has room again");
        one.Send(one.Records.Record(RecordWriter.Handshake, RecordWriter.KeyUpdate(true).AsSpan(4)));
        one.Records.ChangeKeys();
        Assert.That((await receiving).AsSpan().SequenceEqual(bytes));
        Assert.That((await flushing.WaitAsync(Patience)).IsCompleted, Is.False);
        await one.AnswersAsync();
    }

    /// <summary>OpenSSL makes the answer while it reads, and it has no writer who would wait for room.</summary>
    [Test]
    public async Task What_is_said_while_the_socket_is_full_goes_as_soon_as_there_is_room()
    {
        await using var one = await HandWritten.OpenAsync(Tls12, clientReceiveBytes: 4_096);
        var bytes = Fill(one);
        one.Send(one.Records.Record(RecordWriter.Handshake, ClientHello), one.Records.Send("ask"u8));
        await one.ReadsAsync("ask"u8.ToArray());
        Assert.That((await one.ReceiveAsync(bytes + 1)).Length, Is.EqualTo(bytes));
        Assert.That(one.Pair.Tls!.HasBacklog, Is.False);
    }

    [Test]
    public async Task What_the_socket_has_not_taken_is_sent_before_it_closes()
    {
        await using var one = await HandWritten.OpenAsync(Tls13, clientReceiveBytes: 4_096);
        var bytes = Fill(one);
        one.Pair.Socket.CompleteBoth();
        Assert.That((await one.ReceiveAsync(bytes + 1)).Length, Is.EqualTo(bytes));
        await Eventually.TrueAsync(() => one.Tls.IsFreed, "it is freed");
    }

    [TestCase(24)]
    [TestCase(96)]
    public async Task Who_reads_nothing_and_asks_for_answers_is_let_go_before_they_fill_the_memory(int unsentKiBMax)
    {
        var context = TestTls.NewContext(new TlsListenerOptions { UnsentBytesMax = ByteSize.FromKiB(unsentKiBMax) });
        await using var one = await HandWritten.OpenAsync(Tls12, clientReceiveBytes: 4_096, context);
        Fill(one);
        var exceeded = 0L;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, it) =>
        {
            if (instrument.Name == "millrace.gateway.tls.unsent.exceeded") it.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref exceeded, count));
        listener.Start();
        var reading = one.Pair.Socket.Input.ReadAsync().AsTask();
        var asks = 0;
        try
        {
            for (; asks < 10_000 && !reading.IsCompleted; asks++)
            {
                one.Send(one.Records.Record(RecordWriter.Handshake, ClientHello));
                if (asks % 100 != 0) continue;
                await Eventually.TrueAsync(() => reading.IsCompleted || one.Pair.Unread < 2_000, "it is received");
            }
        }
        finally
        {
            TestContext.Out.WriteLine($"{asks} asks");
        }

        Assert.That((await reading.WaitAsync(Patience)).IsCompleted);
        var (fewest, most) = (25 * unsentKiBMax, 40 * unsentKiBMax);
        const int onTheWay = 1_000;
        Assert.That(asks, Is.InRange(fewest, most + onTheWay), "some 30 bytes an answer");
        Assert.That(Interlocked.Read(ref exceeded), Is.EqualTo(1));
    }

    /// <summary>Both sides send at once; the client reads slowly, and changes keys between any two records.</summary>
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(4)]
    [TestCase(5)]
    [TestCase(6)]
    public async Task All_arrives_in_order_however_keys_change(int seed)
    {
        await using var one = await HandWritten.OpenAsync(Tls13, clientReceiveBytes: seed % 2 == 0 ? 4_096 : 0);
        var (up, down) = (Random(1 << 20), Random(1 << 20));
        var slow = new Random(seed + 1_000);
        var receiving = one.ReceiveAsync(down.Length, 1 + slow.Next(20_000), () =>
        {
            if (slow.Next(20) == 0) Thread.Sleep(1);
        });
        var sending = Task.Run(() => SendCut(one, up, new Random(seed)));
        var answering = AnswerAsync(one, down, new Random(seed + 2_000));
        await one.ReadsAsync(up);
        Assert.That(await sending, Is.GreaterThan(10), "changes of keys");
        await answering.WaitAsync(Patience);
        Assert.That((await receiving).AsSpan().SequenceEqual(down));
        await one.AnswersAsync();
    }

    private static byte[] FirstPiece() => RecordWriter.KeyUpdate(asksForTheSame: true)[..4];

    /// <summary>The number of key changes.</summary>
    private static int SendCut(HandWritten one, byte[] bytes, Random random)
    {
        var (changes, sent) = (0, 0);
        while (sent < bytes.Length)
        {
            var wire = new List<byte>();
            for (var records = random.Next(1, 6); records > 0 && sent < bytes.Length; records--)
            {
                var count = Math.Min(bytes.Length - sent, 1 + random.Next(random.Next(2) == 0 ? 200 : 16_000));
                wire.AddRange(one.Records.Send(bytes.AsSpan(sent, count)));
                sent += count;
                if (random.Next(3) != 0) continue;
                var update = RecordWriter.KeyUpdate(asksForTheSame: random.Next(2) == 0);
                for (var from = 0; from < update.Length;)
                {
                    var piece = 1 + random.Next(update.Length - from);
                    wire.AddRange(one.Records.Record(RecordWriter.Handshake, update.AsSpan(from, piece)));
                    from += piece;
                }

                one.Records.ChangeKeys();
                changes++;
            }

            for (var from = 0; from < wire.Count;)
            {
                var piece = Math.Min(wire.Count - from, 1 + random.Next(random.Next(3) == 0 ? 30 : 5_000));
                one.Send([.. wire.Skip(from).Take(piece)]);
                from += piece;
                if (random.Next(4) == 0) Thread.Yield();
            }
        }

        return changes;
    }

    private static async Task AnswerAsync(HandWritten one, byte[] bytes, Random random)
    {
        await Task.Yield();
        for (var sent = 0; sent < bytes.Length;)
        {
            var count = Math.Min(bytes.Length - sent, 1 + random.Next(random.Next(2) == 0 ? 200 : 50_000));
            var flush = await one.Pair.Socket.Output.WriteAsync(bytes.AsMemory(sent, count));
            Assert.That(flush.IsCompleted, Is.False, $"after {sent} bytes");
            sent += count;
        }
    }

    /// <summary>In pieces, the first is received before the second is sent.</summary>
    private static async Task SendKeyUpdateAsync(HandWritten one, bool isInPieces)
    {
        var update = RecordWriter.KeyUpdate(asksForTheSame: true);
        if (isInPieces)
        {
            one.Send(one.Records.Record(RecordWriter.Handshake, update.AsSpan(0, 4)));
            await Eventually.TrueAsync(() => one.Pair.Unread == 0, "the first piece is received");
        }

        one.Send(one.Records.Record(RecordWriter.Handshake, update.AsSpan(isInPieces ? 4 : 0)));
        one.Records.ChangeKeys();
    }

    /// <summary>The pair's loop has done what it had to do, and waits before it sees posts.</summary>
    private static async Task HoldUpAsync(LoopPair pair, ManualResetEventSlim goesOn)
    {
        var isHeldUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        pair.Socket.LetIn();
        _ = ReadAsync();
        pair.Client.Send("x"u8);
        await isHeldUp.Task.WaitAsync(Patience);

        async Task ReadAsync()
        {
            var read = await pair.Socket.Input.ReadAsync();
            pair.Socket.Input.AdvanceTo(read.Buffer.End);
            pair.Client.Send("y"u8);
            await pair.Socket.Input.ReadAsync();
            isHeldUp.SetResult();
            goesOn.Wait();
        }
    }

    /// <summary>Until the socket takes no more, by nobody who would wait for room; how many bytes that was.</summary>
    private static int Fill(HandWritten one)
    {
        var bytes = new byte[1_000];
        var count = 0;
        while (!one.Tls.HasBacklog) count += one.Tls.Send(bytes);
        return count;
    }

    private static byte[] Random(int count)
    {
        var bytes = new byte[count];
        new Random(1).NextBytes(bytes);
        return bytes;
    }
}
