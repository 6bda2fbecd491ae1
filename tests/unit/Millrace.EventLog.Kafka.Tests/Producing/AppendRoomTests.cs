using CsCheck;
using Millrace.EventLog.Kafka.Producing;

namespace Millrace.EventLog.Kafka.Tests.Producing;

public class AppendRoomTests
{
    [Test]
    public async Task Appends_wait_their_turn_when_there_is_no_room()
    {
        var room = new AppendRoom(bytesMax: 10, recordsMax: 100);
        await room.EnterAsync(6, 1, default);
        var second = room.EnterAsync(6, 1, default).AsTask();
        var third = room.EnterAsync(1, 1, default).AsTask();
        Assert.That((second.IsCompleted, third.IsCompleted), Is.EqualTo((false, false)), "nobody overtakes");

        room.Exit(6, 1);

        await second;
        await third;
    }

    [Test]
    public async Task One_that_is_larger_than_all_the_room_goes_alone()
    {
        var room = new AppendRoom(bytesMax: 10, recordsMax: 100);
        await room.EnterAsync(1_000, 1, default);
        var next = room.EnterAsync(1, 1, default).AsTask();
        Assert.That(next.IsCompleted, Is.False);
        room.Exit(1_000, 1);
        await next;
    }

    [Test]
    public async Task One_that_gave_up_takes_no_room()
    {
        var room = new AppendRoom(bytesMax: 10, recordsMax: 1);
        await room.EnterAsync(1, 1, default);
        using var cancel = new CancellationTokenSource();
        var waiting = room.EnterAsync(1, 1, cancel.Token).AsTask();
        var next = room.EnterAsync(1, 1, default).AsTask();
        await cancel.CancelAsync();
        Assert.That(async () => await waiting, Throws.InstanceOf<OperationCanceledException>());
        room.Exit(1, 1);
        await next;
    }

    [Test]
    public void However_many_come_and_go_the_limit_holds_and_all_get_through() =>
        Gen.Int[1, 40].Array[1, 60].SampleAsync(async sizes =>
        {
            const int bytesMax = 50;
            var room = new AppendRoom(bytesMax, recordsMax: 1_000);
            var inside = 0;
            var most = 0;
            await Task.WhenAll(sizes.Select(size => Task.Run(async () =>
            {
                await room.EnterAsync(size, 1, default);
                var now = Interlocked.Add(ref inside, size);
                InterlockedMax(ref most, now);
                await Task.Yield();
                Interlocked.Add(ref inside, -size);
                room.Exit(size, 1);
            }))).WaitAsync(TimeSpan.FromSeconds(20));
            return most <= bytesMax && inside == 0;
        }, iter: 50).GetAwaiter().GetResult();

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = target; seen < value;)
        {
            var found = Interlocked.CompareExchange(ref target, value, seen);
            if (found == seen) return;
            seen = found;
        }
    }
}
