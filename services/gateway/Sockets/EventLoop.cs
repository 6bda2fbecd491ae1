using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Millrace.Gateway.Sockets;

/// <summary>
/// One thread that reads many sockets. Bytes are received into one buffer of the loop, and whoever waits for them runs
/// right here, so that an idle socket has no buffer and a busy one costs no switch of threads. What others want of a
/// socket is posted to its loop: only the loop reads, completes reads and closes.
/// </summary>
internal sealed unsafe class EventLoop : IDisposable
{
    /// <summary>What one read may bring.</summary>
    public const int BufferBytes = 16 << 10;

    /// <summary>
    /// What one read may bring of a sender of whom nothing else is known: room for what devices send at a time. Who
    /// fills it has sent much, and waits for those who have sent little.
    /// </summary>
    public const int LightBytes = 4 << 10;

    /// <summary>How long those who send much are served between two looks at the others.</summary>
    private static readonly long BusyTicks = Stopwatch.Frequency / 1_000;

    /// <summary>
    /// How many who come or go are served between two looks at those who are in: a login or an end costs a hundred
    /// times what a publish does, and thousands may come, or go, at once.
    /// </summary>
    private const int ComersAndGoersATurn = 4;

    private readonly Epoll _epoll = new();
    private readonly int _wake = Epoll.Checked(
        Posix.EventFd(0, Posix.NonBlocking | Posix.CloseOnExec), "eventfd");

    private readonly Queue<LoopSocket> _comersAndGoers = new();
    private readonly Queue<LoopSocket> _busy = new();
    private readonly Action _help;
    private readonly ILogger _log;
    private readonly Thread _thread;
    private LoopSocket?[] _sockets = new LoopSocket?[64];
    private LoopSocket? _posted;
    private int _sleeping;
    private volatile bool _stopping;

    /// <param name="help">What it does for others at the end of each turn, now that it is awake.</param>
    public EventLoop(string name, Action help, ILogger log)
    {
        (_help, _log) = (help, log);
        _epoll.TryWatch(_wake, Epoll.In);
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Free between two reads.</summary>
    public byte[] Buffer { get; private set; } = NewBuffer();

    private bool IsHere => Thread.CurrentThread == _thread;

    private bool IsIdle => Volatile.Read(ref _posted) is null && _comersAndGoers.Count == 0 && _busy.Count == 0;

    /// <summary>Lets the loop look at the socket. The socket sees to it that it is posted once at a time.</summary>
    public void Post(LoopSocket socket)
    {
        do socket.NextPosted = Volatile.Read(ref _posted);
        while (Interlocked.CompareExchange(ref _posted, socket, socket.NextPosted) != socket.NextPosted);
        if (!IsHere && Interlocked.Exchange(ref _sleeping, 0) == 1) Wake();
    }

    /// <summary>Whoever received holds on to the buffer: the loop goes on with another one.</summary>
    public void GiveBufferAway() => Buffer = NewBuffer();

    public bool TryEnter(LoopSocket socket)
    {
        if (socket.Descriptor >= _sockets.Length)
            Array.Resize(ref _sockets, Math.Max(_sockets.Length * 2, socket.Descriptor + 1));
        _sockets[socket.Descriptor] = socket;
        return _epoll.TryWatch(
            socket.Descriptor, Epoll.In | Epoll.Out | Epoll.PeerClosed | Epoll.EdgeTriggered);
    }

    public void AddComerOrGoer(LoopSocket socket) => _comersAndGoers.Enqueue(socket);

    public void AddBusy(LoopSocket socket) => _busy.Enqueue(socket);

    /// <summary>Events of this turn that were meant for the socket find nobody.</summary>
    public void Leave(LoopSocket socket)
    {
        if (_sockets[socket.Descriptor] == socket) _sockets[socket.Descriptor] = null;
    }

    /// <summary>Ends the thread. Sockets that are still open are left as they are.</summary>
    public void Dispose()
    {
        _stopping = true;
        Wake();
        _thread.Join();
        _epoll.Dispose();
        _ = Posix.Close(_wake);
    }

    private static byte[] NewBuffer() => GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);

    private void Run()
    {
        while (!_stopping)
        {
            try
            {
                Turn();
            }
            catch (Exception failure)
            {
                // One connection's trouble must not end the loop that many others depend on.
                _log.ConnectionFailed(failure);
            }
        }
    }

    private void Turn()
    {
        Volatile.Write(ref _sleeping, 1);
        Interlocked.MemoryBarrier();
        var ready = _epoll.Wait(IsIdle ? -1 : 0);
        Volatile.Write(ref _sleeping, 0);
        for (var i = 0; i < ready; i++)
        {
            var (descriptor, events) = _epoll.Ready(i);
            if (descriptor == _wake) Drain();
            else if (descriptor < _sockets.Length) _sockets[descriptor]?.OnEvents(events);
        }

        var posted = Interlocked.Exchange(ref _posted, null);
        while (posted is not null)
        {
            var next = posted.NextPosted;
            posted.NextPosted = null;
            posted.OnPosted();
            posted = next;
        }

        ServeBusy();
        for (var i = 0; i < ComersAndGoersATurn && _comersAndGoers.TryDequeue(out var socket); i++) socket.OnTurn();
        _help();
    }

    private void ServeBusy()
    {
        if (_busy.Count == 0) return;
        var end = Stopwatch.GetTimestamp() + BusyTicks;
        do _busy.Dequeue().OnTurn();
        while (_busy.Count > 0 && Stopwatch.GetTimestamp() < end);
    }

    private void Wake()
    {
        var one = 1L;
        _ = Posix.Write(_wake, &one, sizeof(long));
    }

    private void Drain()
    {
        long count;
        _ = Posix.Read(_wake, &count, sizeof(long));
    }
}
