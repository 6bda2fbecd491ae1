using System.Diagnostics.CodeAnalysis;
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

    private readonly Queue<OutboundMessage> _waiting = new();
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
    public string? TryWait(OutboundMessage message, QueueLimits limits)
    {
        if (_waiting.Count >= limits.MessagesMax || _waitingBytes + message.Bytes > limits.BytesMax)
            return "queue-full";
        if (!memory.TryTake(message.Bytes, isFirst: _waiting.Count == 0)) return "memory-full";
        _waitingBytes += message.Bytes;
        _waiting.Enqueue(message);
        return null;
    }

    public bool TryPeekWaiting([NotNullWhen(true)] out OutboundMessage? message) => _waiting.TryPeek(out message);

    /// <summary>The one that was peeked at does not wait any more.</summary>
    public void LeaveWaiting()
    {
        var bytes = _waiting.Dequeue().Bytes;
        _waitingBytes -= bytes;
        memory.GiveBack(bytes);
        Left++;
    }

    /// <summary>Nothing will be sent any more. Returns how many waited.</summary>
    public int DropWaiting()
    {
        var dropped = _waiting.Count;
        memory.GiveBack(_waitingBytes);
        _waiting.Clear();
        _waitingBytes = 0;
        return dropped;
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
