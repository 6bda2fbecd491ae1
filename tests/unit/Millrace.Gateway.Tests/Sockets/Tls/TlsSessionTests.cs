using Millrace.Gateway.Sockets;
using Millrace.TestKit;

namespace Millrace.Gateway.Tests.Sockets.Tls;

/// <summary>What one call receives, and who calls at a time. Nobody waits for bytes: the loop receives none.</summary>
[Platform("Linux")]
public class TlsSessionTests
{
    private const int Tls13 = 0x304;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Test]
    public async Task One_call_receives_once_and_little_when_the_last_held_nothing()
    {
        const int changes = 2_000;
        await using var one = await HandWritten.OpenAsync(Tls13);
        var bytes = 0;
        for (var i = 0; i < changes; i++)
        {
            var record = one.Records.Record(RecordWriter.Handshake, RecordWriter.KeyUpdate(asksForTheSame: false));
            one.Records.ChangeKeys();
            one.Send(record);
            bytes += record.Length;
        }

        await Eventually.TrueAsync(() => one.Pair.Unread == bytes, "all is there");
        var target = new byte[EventLoop.BufferBytes];
        Assert.That(one.Tls.Receive(target, out var hasMore), Is.EqualTo(-Posix.Interrupted));
        Assert.That(hasMore);
        Assert.That(one.Pair.Unread, Is.EqualTo(bytes -= target.Length));
        for (var calls = 1; one.Pair.Unread > 0; calls++)
        {
            Assert.That(one.Tls.Receive(target, out hasMore), Is.EqualTo(-Posix.Interrupted));
            Assert.That(hasMore);

            // OpenSSL asks for the rest of a record alone.
            Assert.That(bytes - one.Pair.Unread, Is.InRange(1, EventLoop.LightBytes));
            bytes = one.Pair.Unread;
            Assert.That(calls, Is.LessThan(100));
        }

        Assert.That(one.Tls.Receive(target, out hasMore), Is.EqualTo(-Posix.TryAgain));
        Assert.That(hasMore, Is.False);
        await one.AnswersAsync();
    }

    [Test]
    public async Task No_more_is_received_than_there_is_room_for()
    {
        await using var one = await HandWritten.OpenAsync(Tls13);
        byte[] record = one.Records.Send("a message"u8);
        one.Send(record, one.Records.Send("another"u8));
        await Eventually.TrueAsync(() => one.Pair.Unread > record.Length, "both are there");
        var unread = one.Pair.Unread;
        var target = new byte[10];
        Assert.That(one.Tls.Receive(target, out var hasMore), Is.EqualTo(-Posix.Interrupted));
        Assert.That((hasMore, one.Pair.Unread), Is.EqualTo((true, unread - target.Length)));
    }

    [Test]
    public async Task Records_that_came_together_are_read_together()
    {
        await using var one = await HandWritten.OpenAsync(Tls13);
        byte[] expected = [];
        byte[][] records = new byte[20][];
        for (var i = 0; i < records.Length; i++)
        {
            var message = new byte[i + 1];
            Array.Fill(message, (byte)i);
            records[i] = one.Records.Send(message);
            expected = [.. expected, .. message];
        }

        var bytes = records.Sum(record => record.Length);
        one.Send(records);
        await Eventually.TrueAsync(() => one.Pair.Unread == bytes, "all is there");
        var target = new byte[EventLoop.LightBytes];
        Assert.That(one.Tls.Receive(target, out var hasMore), Is.EqualTo(expected.Length));
        Assert.That(hasMore, Is.False);
        Assert.That(target.AsSpan(0, expected.Length).SequenceEqual(expected));
    }

    [Test]
    public async Task What_is_left_of_a_record_is_there_at_the_next_call_though_the_socket_is_empty()
    {
        await using var one = await HandWritten.OpenAsync(Tls13);
        var record = one.Records.Send(new byte[150]);
        one.Send(record);
        await Eventually.TrueAsync(() => one.Pair.Unread == record.Length, "it is there");

        // Its first half waits in OpenSSL, so that the rest comes by a receive that does not fill its room.
        var target = new byte[100];
        Assert.That(one.Tls.Receive(target, out _), Is.EqualTo(-Posix.Interrupted));
        Assert.That(one.Tls.Receive(target, out var hasMore), Is.EqualTo(100));
        Assert.That(one.Pair.Unread, Is.Zero);
        Assert.That(hasMore, "of which no event would tell");
        Assert.That(one.Tls.Receive(target, out hasMore), Is.EqualTo(50));
    }

    [Test]
    public async Task One_thread_at_a_time_is_in_OpenSSL()
    {
        await using var one = await HandWritten.OpenAsync(Tls13);
        one.Send(one.Records.Send("ask"u8));
        await Eventually.TrueAsync(() => one.Pair.Unread > 0, "it is there");
        Thread[] others =
        [
            new(() => one.Tls.Send("x"u8)), new(() => one.Tls.SendRest()), new(() => one.Tls.TryReceiveForSend()),
            new(one.Tls.SayEnd),
        ];
        var target = new byte[100];
        lock (one.Tls)
        {
            foreach (var other in others)
            {
                other.Start();
                while (other.IsAlive && (other.ThreadState & ThreadState.WaitSleepJoin) == 0) Thread.Yield();
                Assert.That(other.IsAlive, "it waits");
            }

            var received = 0;
            var loop = new Thread(() => received = one.Tls.Receive(target, out _));
            loop.Start();
            loop.Join();
            Assert.That(received, Is.EqualTo(-Posix.Interrupted), "the loop does not wait");
            Assert.That(one.Pair.Unread, Is.Positive);
        }

        foreach (var other in others) Assert.That(other.Join(Patience));
    }
}
