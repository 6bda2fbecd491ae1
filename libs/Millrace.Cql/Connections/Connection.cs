using System.Diagnostics.CodeAnalysis;
using System.Net;
using Microsoft.Extensions.Logging;
using Millrace.Cql.Observability;
using Millrace.Cql.Protocol;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Connections;

/// <summary>
/// One connection to a node. Requests are encoded one behind the other into a buffer; the write loop sends all that
/// gathered while it sent the last ones, so many requests share a system call and a frame.
/// </summary>
internal sealed partial class Connection : IAsyncDisposable
{
    // So many streams are for calls of the client itself, which go on when requests have taken all others.
    private const int OwnStreams = 8;
    private const int StreamsOfProtocol = 32_768;

    private readonly Stream _stream;
    private readonly CqlOptions _options;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly StreamTable _streams;
    private readonly int _requestsMax;
    private readonly int _orphansMax;
    private readonly EnvelopeReader _reader;
    private readonly EnvelopeWriter _writer;
    private readonly WriterSignal _signal = new();
    private readonly TaskCompletionSource<CqlException> _closed =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WireBuffer _pending = new(1 << 16);
    private ITimer? _timer;
    private Task _loops = Task.CompletedTask;
    private volatile CqlException? _reason;
    private int _inFlight;

    public Connection(Stream stream, IPEndPoint endPoint, int version, CqlOptions options, ILogger log)
    {
        (_stream, EndPoint, Version, _options, _log, _time) =
            (stream, endPoint, version, options, log, options.TimeProvider);
        _streams = new StreamTable(Math.Min(options.StreamsMax + OwnStreams, StreamsOfProtocol));
        _requestsMax = Math.Min(options.StreamsMax, StreamsOfProtocol - OwnStreams);
        _orphansMax = Math.Min(options.OrphanedStreamsMax, _requestsMax / 2);
        var compress = options.Compression == CqlCompression.Lz4;
        _reader = new EnvelopeReader(compress, options.ResponseBytesMax);
        _writer = new EnvelopeWriter(compress);
        _lastReadAt = _time.GetTimestamp();
    }

    public IPEndPoint EndPoint { get; }

    public int Version { get; }

    /// <summary>Called for each event of the server, on the read loop.</summary>
    public Action<ServerEvent>? OnEvent { get; set; }

    /// <summary>Its place in the count of connections, when it is one of a pool.</summary>
    public ConnectionCount? Count { get; set; }

    /// <summary>Completes, with the reason, when the connection is of no use any more.</summary>
    public Task<CqlException> Closed => _closed.Task;

    public int InFlight => Volatile.Read(ref _inFlight);

    private bool IsClosed => _reason is not null;

    private bool IsFull => _streams.Count >= _requestsMax || _pending.Length > _options.PendingBytesMax;

    public void Start()
    {
        // Before it is read, which may end it at once: whoever ends it ends the timer.
        _timer = _time.CreateTimer(_ => Tick(), null, TickInterval, TickInterval);
        BeginTurn(_turn);
        _loops = Task.WhenAll(_threadsDone.Task, WriteAsync());
    }

    /// <summary>
    /// The login is done. Before that there are no heartbeats: one that meets the answer to STARTUP on its way would
    /// come outside of the frames that the node reads from then on.
    /// </summary>
    public void BeginHeartbeats() => _hasHeartbeats = true;

    /// <summary>Takes a request, unless the connection is closed or full, or the request was cancelled.</summary>
    /// <param name="isOwn">A call of the client itself, for which there is room on a full connection too.</param>
    public bool TrySend(IResponseHandler handler, IMessage message, long deadline, bool isOwn = false)
    {
        bool wake;
        lock (_gate)
        {
            if (IsClosed || (!isOwn && IsFull)) return false;
            if (!_streams.TryTake(handler, deadline, out var stream)) return false;
            handler.Place = (this, stream);
            if (handler.IsCancelled)
            {
                _streams.Complete(stream, out _);
                return false;
            }

            if (!TryEncode(message, stream, out var failure))
            {
                _streams.Complete(stream, out _);
                throw failure;
            }

            if (_inFlight++ == 0) _lastReadAt = _time.GetTimestamp();
            wake = _signal.TryDisarm();
        }

        if (wake) _signal.Wake();
        return true;
    }

    /// <summary>Sends a request of the client itself and waits for the answer; errors are thrown.</summary>
    public Task<Reply> CallAsync(IMessage message, TimeSpan timeout)
    {
        var call = new Call();
        if (!TrySend(call, message, _time.GetTimestamp() + Ticks(timeout), isOwn: true))
            call.TrySetException(_reason ?? CqlErrors.ConnectionLost.With(EndPoint, "It is full.").AsCql());
        return call.Task;
    }

    /// <summary>The handler does not want the answer any more; whether there was still one to come.</summary>
    public bool Abandon(int stream, IResponseHandler handler)
    {
        lock (_gate)
        {
            if (!_streams.Abandon(stream, handler)) return false;
        }

        CqlMetrics.OrphanedStreams.Add(1);
        return true;
    }

    public void Close(CqlException reason)
    {
        List<IResponseHandler> waiting;
        bool wake;
        lock (_gate)
        {
            if (IsClosed) return;
            _reason = reason;
            waiting = _streams.TakeAll();
            _inFlight = 0;
            wake = _signal.TryDisarm();
        }

        if (wake) _signal.Wake();
        _timer?.Dispose();
        _stream.Dispose();
        if (_turn.TryEnd(TimeSpan.Zero)) _threadsDone.TrySetResult();
        foreach (var handler in waiting) handler.OnFailure(this, reason);
        _closed.TrySetResult(reason);
    }

    /// <summary>Closes it and waits until it is at rest.</summary>
    public async Task EndAsync(CqlException reason)
    {
        Close(reason);
        await _loops.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync() =>
        await EndAsync(CqlErrors.SessionClosed.With(EndPoint).AsCql()).ConfigureAwait(false);

    internal long Ticks(TimeSpan time) => (long)(time.TotalSeconds * _time.TimestampFrequency);

    private bool TryEncode(IMessage message, short stream, [NotNullWhen(false)] out Exception? failure)
    {
        failure = null;
        var start = _pending.Length;
        try
        {
            _pending.Take(EnvelopeHeader.Size);
            message.Write(_pending, Version);
            var length = _pending.Length - start - EnvelopeHeader.Size;
            var header = new EnvelopeHeader((byte)Version, message.Flags, stream, message.Opcode, length);
            header.Write(_pending.Rewrite(start, EnvelopeHeader.Size));
            return true;
        }
        catch (Exception e)
        {
            // What cannot be encoded harms nobody else's request.
            _pending.Truncate(start);
            failure = e;
            return false;
        }
    }

    private async Task WriteAsync()
    {
        // Not on the thread of whoever opened the connection.
        await Task.Yield();
        var sending = new WireBuffer(1 << 16);
        var wire = new WireBuffer(1 << 16);
        try
        {
            while (true)
            {
                bool idle;
                lock (_gate)
                {
                    if (IsClosed) return;
                    if (_pending.Length == 0) _signal.Arm();
                    idle = _pending.Length == 0;
                    if (!idle) (_pending, sending) = (sending, _pending);
                }

                if (idle)
                {
                    await _signal.WaitAsync().ConfigureAwait(false);
                    continue;
                }

                _writer.Write(sending.Written, wire);
                sending.Clear();
                await _stream.WriteAsync(wire.WrittenMemory, CancellationToken.None).ConfigureAwait(false);
                wire.Clear();
            }
        }
        catch (Exception e)
        {
            Close(Lost(e));
        }
    }

    private CqlException Lost(Exception cause) =>
        cause as CqlException ?? CqlErrors.ConnectionLost.With(EndPoint, cause.Message).AsCql(cause);
}
