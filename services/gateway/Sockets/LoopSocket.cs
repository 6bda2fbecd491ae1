using System.IO.Pipelines;
using Millrace.Gateway.Sockets.Tls;

namespace Millrace.Gateway.Sockets;

/// <summary>
/// A connected socket of a loop, as the pipes that a connection reads and writes. This part is its life; Read is the
/// side that reads, and <see cref="LoopWriter"/> the one that writes. It is closed when both are completed.
/// </summary>
internal sealed partial class LoopSocket : PipeReader, IDuplexPipe
{
    /// <summary>Things that are so, set by anyone; but only the loop acts on them.</summary>
    [Flags]
    private enum State
    {
        /// <summary>Waits in the loop's list.</summary>
        Posted = 1 << 0,

        /// <summary>The loop watches it.</summary>
        Entered = 1 << 1,

        /// <summary>There may be bytes to receive. Set and cleared by the loop alone.</summary>
        Readable = 1 << 2,

        /// <summary>Someone waits for bytes.</summary>
        Armed = 1 << 3,

        /// <summary>Who waits now, or will next, is to be woken without bytes.</summary>
        Cancelled = 1 << 4,

        /// <summary>The peer sends no more.</summary>
        Ended = 1 << 5,

        /// <summary>The connection is gone.</summary>
        Failed = 1 << 6,
        Aborted = 1 << 7,

        /// <summary>The peer has closed: receive until the end is seen, for no further event will tell.</summary>
        PeerClosed = 1 << 8,
        ReaderDone = 1 << 9,
        WriterDone = 1 << 10,
        Closed = 1 << 11,
    }

    private readonly EventLoop _loop;
    private readonly LoopWriter _writer;
    private TlsSession? _tls;
    private int _state;
    private volatile bool _isLetIn;
    private bool _hasTurn;
    private bool _isBusy;

    /// <param name="descriptor">Connected and non-blocking; this object closes it.</param>
    public LoopSocket(EventLoop loop, int descriptor)
    {
        _loop = loop;
        Descriptor = descriptor;
        _writer = new LoopWriter(this);
    }

    public int Descriptor { get; }

    /// <summary>The loop's list of those that are posted.</summary>
    public LoopSocket? NextPosted { get; set; }

    public PipeReader Input => this;

    public PipeWriter Output => _writer;

    /// <summary>Bytes that the peer has taken since it was connected.</summary>
    public long Delivered => (_tls?.Sent ?? _writer.Sent) - Posix.OutQueue(Descriptor);

    /// <summary>Has the loop watch it.</summary>
    public void Start() => Post(default);

    /// <summary>Ends the connection at once; what was not sent is dropped. From any thread.</summary>
    public void Abort() => Post(State.Aborted);

    /// <summary>Ends both sides: nobody uses it any more.</summary>
    public void CompleteBoth()
    {
        Output.Complete();
        Input.Complete();
    }

    /// <summary>From now on it is served before those who have not shown yet who they are. From any thread.</summary>
    public void LetIn() => _isLetIn = true;

    /// <summary>
    /// From now on it is read and written through TLS, whose handshake is done; it ends that too. Nobody reads or
    /// writes meanwhile, and nothing lies in the pipes.
    /// </summary>
    public void Secure(TlsSession tls)
    {
        _tls = tls;

        // The session may hold what the client sent behind its handshake.
        Add(State.Readable);
    }

    /// <summary>Whether <see cref="Send"/> has yet to be called until it has sent, if only with no bytes.</summary>
    public bool HasBacklog => _tls is { HasBacklog: true };

    /// <summary>As <see cref="Posix.Send(int, ReadOnlySpan{byte})"/>.</summary>
    public int Send(ReadOnlySpan<byte> bytes)
    {
        if (_tls is null) return Posix.Send(Descriptor, bytes);
        var sent = _tls.Send(bytes);
        if (_tls.SendAwaitsPeer) Post(default);
        return sent;
    }

    public void OnWriterDone()
    {
        if ((Current & (State.Aborted | State.Failed)) == 0) _tls?.SayEnd();
        Post(State.WriterDone);
    }

    public void OnEvents(uint events)
    {
        if ((events & (Epoll.Out | Epoll.Error | Epoll.HangUp)) != 0) GoOnSending();
        var news = default(State);
        if ((events & (Epoll.In | Epoll.Error | Epoll.HangUp | Epoll.PeerClosed)) != 0) news |= State.Readable;
        if ((events & (Epoll.Error | Epoll.HangUp | Epoll.PeerClosed)) != 0) news |= State.PeerClosed;
        if (news == default) return;
        var before = Add(news);
        if ((before & State.Armed) != 0) ServeInTurn();
    }

    public void OnPosted()
    {
        Remove(State.Posted);
        var state = Current;
        if ((state & State.Closed) != 0) return;
        if ((state & State.Entered) == 0) Enter();
        if ((state & (State.Aborted | State.Failed)) == State.Aborted) Fail();
        ReceiveForSend();
        state = Current;
        if ((state & (State.ReaderDone | State.WriterDone)) == (State.ReaderDone | State.WriterDone)) Close();
        else if ((state & State.Armed) != 0) ServeInTurn();
    }

    /// <summary>Its turn has come.</summary>
    public void OnTurn()
    {
        _hasTurn = false;
        Serve();
    }

    private State Current => (State)Volatile.Read(ref _state);

    private State Add(State what) => (State)Interlocked.Or(ref _state, (int)what);

    private State Remove(State what) => (State)Interlocked.And(ref _state, (int)~what);

    private void Post(State news)
    {
        var before = Add(news | State.Posted);
        if ((before & State.Posted) == 0) _loop.Post(this);
    }

    private void Enter()
    {
        Add(State.Entered);
        if (!_loop.TryEnter(this)) Post(State.Aborted);
    }

    /// <summary>There is room, also for what reading has made TLS say.</summary>
    private void GoOnSending()
    {
        _writer.OnWritable();
        if (HasBacklog) _tls!.SendRest();
    }

    /// <summary>Behind what the writer waits for, the reader may have bytes of which no event will tell.</summary>
    private void ReceiveForSend()
    {
        if (_tls is not { SendAwaitsPeer: true }) return;
        Add(State.Readable);
        if (_tls.TryReceiveForSend()) _writer.OnWritable();
    }

    private void Fail()
    {
        Add(State.Failed);
        _ = Posix.Shutdown(Descriptor, Posix.ShutdownBoth);
        _writer.OnWritable();
    }

    /// <summary>Those who come, go or send much wait for a turn; the others are served at once.</summary>
    private void ServeInTurn()
    {
        var isIn = _isLetIn && (Current & (State.PeerClosed | Over)) == 0;
        if (isIn && !_isBusy) Serve();
        else if (!_hasTurn)
        {
            _hasTurn = true;
            if (isIn) _loop.AddBusy(this);
            else _loop.AddComerOrGoer(this);
        }
    }

    private void Serve()
    {
        var state = Current;
        if ((state & (State.Armed | State.Closed)) != State.Armed) return;
        if ((state & (State.Cancelled | State.Failed)) != 0) Complete();
        else if ((state & State.Readable) != 0) Receive();
    }

    private void Close()
    {
        Add(State.Closed);
        _loop.Leave(this);
        LetGo();
        _tls?.Dispose();
        if ((Current & State.Aborted) != 0) Posix.ResetAtClose(Descriptor);
        else TakeFarewell();
        _ = Posix.Close(Descriptor);
    }

    /// <summary>
    /// What nobody read any more, often the peer's end of TLS: closed with it, the system would reset the connection
    /// and drop what the peer has not taken yet.
    /// </summary>
    private void TakeFarewell() => _ = Posix.Receive(Descriptor, _loop.Buffer);
}
