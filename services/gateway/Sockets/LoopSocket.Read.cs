using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace Millrace.Gateway.Sockets;

/// <summary>
/// Reading. Received bytes lie in the loop's buffer until the reader says how far it came; only what it leaves, the
/// start of a packet, is copied to a buffer of the socket's own. Who waits runs on the loop's thread.
/// </summary>
internal sealed partial class LoopSocket : IValueTaskSource<ReadResult>
{
    /// <summary>More than this is not moved for each read; the rest is received behind it.</summary>
    private const int MovedBytesMax = 8 << 10;

    /// <summary>Whose the buffer is that the reader looks at.</summary>
    private enum Lease
    {
        Own,
        Loop,

        /// <summary>The loop could not wait for it to be given back, and has another one.</summary>
        Kept,
    }

    /// <summary>
    /// Nothing more will be read. A reset is an end like any other: storms of them must not cost an exception each.
    /// </summary>
    private const State Over = State.Ended | State.Failed;

    private Action<object?>? _continuation;
    private object? _continuationState;
    private byte[]? _buffer;
    private int _start;
    private int _count;
    private Lease _lease;
    private bool _examined = true;
    private short _version;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        TryRead(out var result) ? new(result) : new(this, _version);

    public override bool TryRead(out ReadResult result)
    {
        result = default;
        if ((Current & (State.Cancelled | Over)) == 0 && (_count == 0 || _examined)) return false;
        result = Result();
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_buffer is null) return;
        var bytes = Bytes();
        var first = bytes.GetOffset(bytes.Start);
        var used = (int)(bytes.GetOffset(consumed) - first);
        _examined = bytes.GetOffset(examined) - first == _count;
        _start += used;
        _count -= used;
        if (_lease != Lease.Own) ReturnToLoop();
        else if (_count == 0) LetGo();
    }

    public override void CancelPendingRead() => Post(State.Cancelled);

    public override void Complete(Exception? exception = null) => Post(State.ReaderDone);

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token)
    {
        Check(token);
        _version++;
        return Result();
    }

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token)
    {
        Check(token);
        return ValueTaskSourceStatus.Pending;
    }

    /// <summary>Only now may the loop receive: there is someone to take the bytes at once.</summary>
    void IValueTaskSource<ReadResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        Check(token);
        _continuation = continuation;
        _continuationState = state;
        var before = Add(State.Armed);
        if ((before & (State.Readable | State.Cancelled | State.Failed)) != 0) Post(default);
    }

    private void Receive()
    {
        var own = _count > MovedBytesMax;
        if (own) MakeRoom();
        var buffer = own ? _buffer! : _loop.Buffer;
        var room = buffer.AsSpan(own ? _start + _count : _count);
        if (!_isBusy && room.Length > EventLoop.LightBytes) room = room[..EventLoop.LightBytes];
        var received = Receive(room, out _isBusy);
        if (received < 0 && IsEmptyHanded(-received)) return;
        if (received > 0)
        {
            if ((Current & State.PeerClosed) == 0 && !_isBusy) Remove(State.Readable);
            if (!own) MoveTo(buffer);
            _count += received;
        }
        else if (received == 0) Add(State.Ended);

        Complete();
    }

    private int Receive(Span<byte> room, out bool hasMore)
    {
        if (_tls is not null) return _tls.Receive(room, out hasMore);
        var received = Posix.Receive(Descriptor, room);
        hasMore = received == room.Length;
        return received;
    }

    /// <summary>
    /// Gives the bytes, or the news, to who waits. When it has not given the loop's buffer back by then, it keeps it.
    /// </summary>
    private void Complete()
    {
        var (continuation, state) = (_continuation!, _continuationState);
        _continuation = null;
        Remove(State.Armed);
        continuation(state);
        if (Interlocked.CompareExchange(ref _lease, Lease.Kept, Lease.Loop) == Lease.Loop) _loop.GiveBufferAway();
    }

    private bool IsEmptyHanded(int error)
    {
        if (error == Posix.Interrupted)
        {
            Post(default);
            return true;
        }

        if (error != Posix.TryAgain)
        {
            Add(State.Failed);
            return false;
        }

        Remove(State.Readable);
        return true;
    }

    private void MoveTo(byte[] buffer)
    {
        if (_buffer is not null)
        {
            _buffer.AsSpan(_start, _count).CopyTo(buffer);
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = buffer;
        _start = 0;
        _lease = Lease.Loop;
    }

    private void MakeRoom()
    {
        if (_start + _count < _buffer!.Length && _start < _buffer.Length / 2) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_count * 2, EventLoop.BufferBytes));
        Keep(larger);
    }

    /// <summary>Copies what is left before the loop may use its buffer again.</summary>
    private void ReturnToLoop()
    {
        var lent = _buffer!;
        _buffer = null;
        if (_count > 0)
        {
            var own = ArrayPool<byte>.Shared.Rent(_count);
            lent.AsSpan(_start, _count).CopyTo(own);
            _buffer = own;
        }

        _start = 0;
        Interlocked.Exchange(ref _lease, Lease.Own);
    }

    private void Keep(byte[] larger)
    {
        _buffer.AsSpan(_start, _count).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer!);
        _buffer = larger;
        _start = 0;
    }

    private void LetGo()
    {
        if (_buffer is not null && _lease == Lease.Own) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
        _start = _count = 0;
    }

    private ReadResult Result()
    {
        var before = Remove(State.Cancelled);
        return new ReadResult(Bytes(), (before & State.Cancelled) != 0, (before & Over) != 0);
    }

    private ReadOnlySequence<byte> Bytes() => _buffer is null ? default : new(_buffer, _start, _count);

    private void Check(short token)
    {
        if (token != _version) throw new InvalidOperationException("A read is awaited twice.");
    }
}
