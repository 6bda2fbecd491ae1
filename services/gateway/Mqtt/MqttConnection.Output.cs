using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Millrace.Gateway.Sessions;
using Millrace.Mqtt;

namespace Millrace.Gateway.Mqtt;

/// <summary>
/// Writing, by whoever has something to write, under one lock. While a flush is under way nothing is written: acks
/// stay in the window, and so a client that does not read is soon not read either.
/// </summary>
internal sealed partial class MqttConnection
{
    private readonly Lock _output = new();
    private Action? _onFlushed;
    private ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter _flush;
    private ConnectionEnd? _endToWrite;
    private bool _hasAnswers;
    private bool _isFlushing;
    private int _flushingSeconds;
    private long _deliveredBefore;
    private bool _isOutputClosed;

    private bool IsFlushing
    {
        get
        {
            lock (_output) return _isFlushing;
        }
    }

    public void OnDurable(int partition, long lastNumber, long firstOffset)
    {
        lock (_output)
        {
            _session.Acks.MarkDurable(partition, lastNumber);
            _deviceSession?.Durable(partition, firstOffset);
            WriteAcksLocked();
        }

        _resume.Call();
    }

    private void WriteAcksLocked()
    {
        if (_isOutputClosed || _isFlushing || End is not null) return;
        if (_session.WriteAcks(transport.Output) > 0) FlushLocked();
    }

    /// <summary>
    /// Answers a packet of the read that is being taken; <see cref="SendAnswers"/> sends it. False while a flush is
    /// under way: the packet is to be answered when it has ended.
    /// </summary>
    private bool TryReply(Action<IBufferWriter<byte>> write)
    {
        lock (_output)
        {
            if (_isOutputClosed || End is not null) return true;
            if (_isFlushing) return false;
            write(transport.Output);
            _hasAnswers = true;
            return true;
        }
    }

    /// <summary>
    /// Answers what was taken before. Another flush may begin whenever one has ended, so it is tried until there was
    /// none; only a gateway that drains waits for no client.
    /// </summary>
    private async ValueTask ReplyAsync(Action<IBufferWriter<byte>> write)
    {
        while (!TryReply(write) && !runtime.IsDraining) await WaitForFlushAsync().ConfigureAwait(false);
        SendAnswers();
    }

    /// <summary>
    /// Sends all answers of one read at once: thousands of packets of two bytes must not cost a system call each.
    /// </summary>
    private void SendAnswers()
    {
        if (!_hasAnswers) return;
        _hasAnswers = false;
        lock (_output)
        {
            if (_isOutputClosed || _isFlushing || End is not null) return;
            if (_session.AcksOrNull is not null && _session.WriteAcks(transport.Output) > 0) _resume.Call();
            FlushLocked();
        }
    }

    private void WriteEnd(ConnectionEnd end)
    {
        lock (_output)
        {
            if (_isOutputClosed || end.IsQuiet) return;
            if (_isFlushing) _endToWrite = end;
            else WriteEndLocked(end);
        }
    }

    private void WriteEndLocked(ConnectionEnd end)
    {
        _session.Close(transport.Output, end.Code, end.Reason);
        FlushLocked();
    }

    private void FlushLocked()
    {
#pragma warning disable CA2012 // The result is taken once, here or when the flush has ended; a task would be allocated.
        var flush = transport.Output.FlushAsync().ConfigureAwait(false).GetAwaiter();
#pragma warning restore CA2012
        if (flush.IsCompleted)
        {
            Observe(flush);
            return;
        }

        _flushingSeconds = runtime.NowSeconds;
        _isFlushing = true;
        _flush = flush;
        flush.UnsafeOnCompleted(_onFlushed ??= OnFlushed);
    }

    private void OnFlushed()
    {
        Outbox? outbox;
        lock (_output)
        {
            _isFlushing = false;
            Observe(_flush);
            if (_endToWrite is { } end && !_isOutputClosed) WriteEndLocked(end);
            else if (_session.AcksOrNull is not null) WriteAcksLocked();
            _endToWrite = null;
            outbox = _deviceSession?.Outbox is { IsHeldUp: true } waiting ? waiting : null;
        }

        _resume.Call();
        if (outbox is not null) Send(outbox);
    }

    /// <summary>When nobody takes what is written, the connection is over: its acks can never leave.</summary>
    private void Observe(ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter flush)
    {
        try
        {
            if (!flush.GetResult().IsCompleted) return;
        }
        catch (Exception)
        {
            // Whatever it is, no more can be written: lost, as below.
        }

        _isOutputClosed = true;
        TryEnd(ConnectionEnd.Lost);
    }

    /// <summary>
    /// Lets the last words leave. A socket that is closed with bytes unread is reset, and the client may lose them: so
    /// what it still sends is read until it closes, or until the watch cuts it off.
    /// </summary>
    private async ValueTask CloseOutputAsync()
    {
        try
        {
            while (IsFlushing) await _resume.WaitAsync().ConfigureAwait(false);
            var hasLastWords = !End!.IsQuiet && (!_wasConnected || _session.Version == MqttVersion.V5);
            if (hasLastWords) await LingerAsync().ConfigureAwait(false);
        }
        catch (Exception failure) when (IsLoss(failure))
        {
            // The client is gone already.
        }

        lock (_output) _isOutputClosed = true;
        await transport.Output.CompleteAsync().ConfigureAwait(false);
        await transport.Input.CompleteAsync().ConfigureAwait(false);
    }

    private async ValueTask LingerAsync()
    {
        var ended = false;
        while (!ended)
        {
            var read = await transport.Input.ReadAsync().ConfigureAwait(false);
            transport.Input.AdvanceTo(read.Buffer.End);
            ended = read.IsCompleted;
        }
    }
}
