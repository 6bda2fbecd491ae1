using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace Millrace.Gateway.Sockets;

/// <summary>
/// Writing, by whichever thread flushes: what the socket takes is sent at once, and the rest when the loop sees that
/// there is room again. A buffer is held only while there is something in it.
/// </summary>
internal sealed class LoopWriter(LoopSocket socket) : PipeWriter, IValueTaskSource<FlushResult>
{
    private const int BufferBytes = 512;

    private byte[]? _buffer;
    private int _sent;
    private int _written;
    private Action<object?>? _continuation;
    private object? _continuationState;
    private short _version;
    private bool _isPending;
    private bool _isBroken;
    private bool _isDone;
    private bool _hasEnded;
    private long _sentInAll;

    /// <summary>Bytes that the socket has taken in all. From any thread.</summary>
    public long Sent => Volatile.Read(ref _sentInAll);

    public override long UnflushedBytes => _written - _sent;

    public override bool CanGetUnflushedBytes => true;

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        lock (this)
        {
            if (_isPending) throw new InvalidOperationException("A flush is under way.");
            var needed = _written + Math.Max(sizeHint, 1);
            if (_buffer is null || needed > _buffer.Length) Grow(Math.Max(needed, BufferBytes));
            return _buffer.AsMemory(_written);
        }
    }

    public override void Advance(int bytes) => _written += bytes;

    /// <summary>Completed when the peer is gone. One flush at a time.</summary>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        lock (this)
        {
            if (_isDone) return new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: true));
            _isPending = !TrySend();
            return _isPending ? new ValueTask<FlushResult>(this, _version) : new ValueTask<FlushResult>(Result());
        }
    }

    /// <summary>The flush under way stays as it is: nobody cancels one.</summary>
    public override void CancelPendingFlush() => throw new NotSupportedException();

    public override void Complete(Exception? exception = null)
    {
        lock (this)
        {
            if (_isDone) return;
            _isDone = true;
            if (_isPending || !TrySend()) return;
            _hasEnded = true;
        }

        socket.OnWriterDone();
    }

    /// <summary>There is room to send, or the connection has failed.</summary>
    public void OnWritable()
    {
        Action<object?>? continuation;
        bool ends;
        lock (this)
        {
            ends = _isDone && !_hasEnded;
            if (!_isPending && !ends) return;
            if (!TrySend()) return;
            _isPending = false;
            _hasEnded = ends;
            (continuation, _continuation) = (_continuation, null);
        }

        continuation?.Invoke(_continuationState);
        if (ends) socket.OnWriterDone();
    }

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token)
    {
        lock (this)
        {
            Check(token);
            _version++;
            return Result();
        }
    }

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token)
    {
        lock (this)
        {
            Check(token);
            return _isPending ? ValueTaskSourceStatus.Pending : ValueTaskSourceStatus.Succeeded;
        }
    }

    void IValueTaskSource<FlushResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        lock (this)
        {
            Check(token);
            if (_isPending)
            {
                _continuation = continuation;
                _continuationState = state;
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(continuation, state, preferLocal: false);
    }

    /// <summary>False while the socket takes no more. What cannot be sent at all is dropped.</summary>
    private bool TrySend()
    {
        while (!_isBroken && (UnflushedBytes > 0 || socket.HasBacklog))
        {
            var sent = socket.Send(_buffer.AsSpan(_sent, _written - _sent));
            if (sent >= 0) Count(sent);
            else if (sent == -Posix.TryAgain) return false;
            else _isBroken = sent != -Posix.Interrupted;
        }

        if (_buffer is not null) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
        _sent = _written = 0;
        return true;
    }

    private void Count(int sent)
    {
        _sent += sent;
        Volatile.Write(ref _sentInAll, _sentInAll + sent);
    }

    private void Grow(int bytes)
    {
        var larger = ArrayPool<byte>.Shared.Rent(bytes);
        _buffer.AsSpan(0, _written).CopyTo(larger);
        if (_buffer is not null) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    private FlushResult Result() => new(isCanceled: false, isCompleted: _isBroken);

    private void Check(short token)
    {
        if (token != _version) throw new InvalidOperationException("A flush is awaited twice.");
    }
}
