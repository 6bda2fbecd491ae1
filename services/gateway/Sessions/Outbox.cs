using Millrace.Gateway.TopicSpaces;
using Millrace.Mqtt.Session;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Sessions;

/// <summary>
/// Messages on their way to one client: those that wait in memory, those that were read from the store, and those that
/// the client has not acknowledged. All of it under the output's lock.
/// </summary>
internal sealed class Outbox(int inFlightMax, QueueMemory memory)
{
    private const int Idle = 0;
    private const int Running = 1;
    private const int RunningAgain = 2;

    private readonly Queue<LiveMessage> _waiting = new();
    private Dictionary<long, LiveMessage>? _unacknowledged;
    private long _waitingBytes;
    private int _state;

    public OutboundWindow Window { get; } = new(inFlightMax);

    /// <summary>QoS 0, and everything of a session in memory: how many wait.</summary>
    public int WaitingCount => _waiting.Count;

    /// <summary>Read from the store and not sent.</summary>
    public Queue<QueuedMessage> Loaded { get; } = new();

    /// <summary>Up to where the store was read.</summary>
    public long LoadedUpTo { get; set; }

    /// <summary>The store may have more than was read.</summary>
    public bool HasStored { get; set; }

    /// <summary>Done with, and still in the store.</summary>
    public List<long> Done { get; private set; } = [];

    /// <summary>The client has them, and the store does not know.</summary>
    public List<long> Received { get; private set; } = [];

    /// <summary>PUBRELs to write.</summary>
    public Queue<long> Releases { get; } = new();

    /// <summary>How many have left, of those that waited and those that were loaded.</summary>
    public long Left { get; private set; }

    /// <summary>Something may go as soon as the socket takes it.</summary>
    public bool IsHeldUp => _waiting.Count > 0 || Loaded.Count > 0 || Releases.Count > 0 || HasStored;

    /// <summary>Ends when nobody sends.</summary>
    public Task Sending { get; set; } = Task.CompletedTask;

    /// <summary>The number of the next message of a session in memory.</summary>
    public long NextSequence { get; private set; } = 1;

    /// <summary>Null when it waits now; else why there is no room for it.</summary>
    public string? TryWait(in LiveMessage live, QueueLimits limits)
    {
        var bytes = live.Message.Bytes;
        if (_waiting.Count >= limits.MessagesMax || _waitingBytes + bytes > limits.BytesMax) return "queue-full";
        if (!memory.TryTake(bytes, isFirst: _waiting.Count == 0)) return "memory-full";
        _waitingBytes += bytes;
        _waiting.Enqueue(live);
        return null;
    }

    public bool TryPeekWaiting(out LiveMessage live) => _waiting.TryPeek(out live);

    /// <summary>The one that was peeked at does not wait any more.</summary>
    public void LeaveWaiting()
    {
        var bytes = _waiting.Dequeue().Message.Bytes;
        _waitingBytes -= bytes;
        memory.GiveBack(bytes);
        Left++;
    }

    /// <summary>
    /// On its way to the client. Until that has acknowledged it, another member of its share may be given it when the
    /// session ends, if it is of QoS 1 (MQTT 5 §4.8.2): so long it takes memory.
    /// </summary>
    public void Sent(in LiveMessage live, long sequence)
    {
        if (live is not { Message.Qos: 1, Share.Group: not null }) return;
        memory.Take(live.Message.Bytes);
        (_unacknowledged ??= []).Add(sequence, live);
    }

    /// <summary>The client is done with it.</summary>
    public void Acknowledged(long sequence)
    {
        Done.Add(sequence);
        if (_unacknowledged?.Remove(sequence, out var live) == true) memory.GiveBack(live.Message.Bytes);
    }

    /// <summary>
    /// Nothing will be sent any more, and nothing waits. Returns what may go on to others of its share, in its order.
    /// </summary>
    public List<LiveMessage> TakeShared()
    {
        var shared = _unacknowledged?.OrderBy(each => each.Key).Select(each => each.Value).ToList() ?? [];
        memory.GiveBack(_waitingBytes + shared.Sum(each => (long)each.Message.Bytes));
        shared.AddRange(_waiting.Where(each => each.Share.Group is not null));
        _unacknowledged = null;
        _waiting.Clear();
        _waitingBytes = 0;
        return shared;
    }

    public long TakeSequence() => NextSequence++;

    public void LeaveLoaded()
    {
        Loaded.Dequeue();
        Left++;
    }

    /// <summary>What <see cref="Left"/> is, at the latest, when all has left that waits now.</summary>
    /// <param name="storedMax">How many the store may have.</param>
    public long LeftAfterAll(int storedMax) => Left + _waiting.Count + Loaded.Count + (HasStored ? storedMax : 0);

    public (List<long> Done, List<long> Received) TakeAcknowledged()
    {
        var taken = (Done, Received);
        if (Done.Count > 0) Done = [];
        if (Received.Count > 0) Received = [];
        return taken;
    }

    /// <summary>True: the caller is the one who sends now. False: whoever does, looks once more.</summary>
    public bool TryStart()
    {
        while (true)
        {
            var state = Volatile.Read(ref _state);
            var next = state == Idle ? Running : RunningAgain;
            if (Interlocked.CompareExchange(ref _state, next, state) == state) return state == Idle;
        }
    }

    /// <summary>False: something came meanwhile, and the sender goes on.</summary>
    public bool TryStop()
    {
        if (Interlocked.CompareExchange(ref _state, Idle, Running) == Running) return true;
        Volatile.Write(ref _state, Running);
        return false;
    }
}

/// <summary>A message that is in memory until its client has it.</summary>
/// <param name="Share">By which it may go on to another client; none: it is for this one alone.</param>
internal readonly record struct LiveMessage(OutboundMessage Message, SpaceShare Share);
