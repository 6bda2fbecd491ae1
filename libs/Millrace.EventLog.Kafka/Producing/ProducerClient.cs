using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Millrace.Contracts;
using Millrace.EventLog.Kafka.Native;

namespace Millrace.EventLog.Kafka.Producing;

/// <summary>
/// One producer of the library, and the thread that has its reports. After a fatal error of the library it is of no
/// more use: every append that is on its way fails, and another producer takes its place.
/// </summary>
internal sealed class ProducerClient
{
    private const int PurgeAll = 1 | 2;
    private static readonly TimeSpan PollMost = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PurgeMost = TimeSpan.FromSeconds(5);

    // The reports come on the thread that polls, which so knows whose they are.
    [ThreadStatic]
    private static ProducerClient? _polling;

    private readonly NativeClient _client;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly Action<PendingAppend> _done;
    private readonly ConcurrentDictionary<TopicPartition, PartitionQueue> _partitions = new();
    private readonly List<PendingAppend> _completed = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Appends are handed over within its read lock; with its write lock, no more come in.
    private readonly ReaderWriterLockSlim _life = new();
    private readonly ConcurrentDictionary<PendingAppend, bool> _onTheWay = new();
    private string _why = "";
    private volatile bool _isFatal;
    private volatile bool _isEnding;

    /// <param name="done">Called once for each append, before its owner has the answer.</param>
    public ProducerClient(
        IReadOnlyDictionary<string, string> settings, ILogger log, TimeProvider time, Action<PendingAppend> done)
    {
        (_log, _time, _done) = (log, time, done);
        unsafe
        {
            delegate* unmanaged[Cdecl]<nint, NativeMessage*, nint, void> delivery = &OnDelivery;
            _client = new NativeClient(ClientKind.Producer, settings, log, Failed, (nint)delivery);
        }

        new Thread(Run) { IsBackground = true, Name = "millrace-kafka-producer" }.Start();
    }

    /// <summary>Ends when every append has its answer and the producer is closed.</summary>
    public Task Ended => _ended.Task;

    /// <summary>How long the oldest append that has no answer waits for it.</summary>
    public TimeSpan OldestAppend
    {
        get
        {
            var now = _time.GetTimestamp();
            var oldest = now;
            foreach (var (append, _) in _onTheWay) oldest = Math.Min(oldest, append.StartedAt);
            return _time.GetElapsedTime(oldest, now);
        }
    }

    /// <summary>
    /// Hands the records over, next to one another among those of this process. False when this producer is of no use
    /// any more and took none of them.
    /// </summary>
    public bool TryAppend(string topic, PendingAppend append, RecordBatchBuilder records)
    {
        _life.EnterReadLock();
        try
        {
            if (_isFatal || _isEnding) return false;
            var queue = _partitions.GetOrAdd(append.Partition, QueueOf, topic);
            _onTheWay.TryAdd(append, true);
            if (queue.Append(append, records) != HandOver.Fatal) return true;
            _isFatal = true;
            _onTheWay.TryRemove(append, out _);
            return false;
        }
        finally
        {
            _life.ExitReadLock();
        }
    }

    /// <summary>Takes no more; what is on its way gets so long, then fails.</summary>
    public async Task EndAsync(TimeSpan drain)
    {
        _isEnding = true;
        await Task.WhenAny(_ended.Task, Task.Delay(drain, _time)).ConfigureAwait(false);
        _isFatal = true;
        await _ended.Task.ConfigureAwait(false);
    }

    /// <summary>For tests: as if the brokers had said something that the library cannot go on from.</summary>
    internal unsafe void FailFatally(int code)
    {
        fixed (byte* reason = "test\0"u8) Rdkafka.TestFatalError(_client.Handle, code, reason);
    }

    private void Failed(int code, string reason)
    {
        if (code != NativeErrors.Fatal) return;
        _why = reason;
        _isFatal = true;
    }

    private void Run()
    {
        _polling = this;
        while (!_isFatal && !(_isEnding && _onTheWay.IsEmpty)) Poll(PollMost);
        _isEnding = true;

        // Who was handing over has ended after this, and nobody comes in.
        _life.EnterWriteLock();
        _life.ExitWriteLock();
        if (!_onTheWay.IsEmpty)
        {
            _log.ProducerGivenUp(_why, _onTheWay.Count);
            foreach (var append in _partitions.Values.SelectMany(queue => queue.GiveUp())) Abandon(append);
            Rdkafka.Purge(_client.Handle, PurgeAll);
        }

        var started = _time.GetTimestamp();
        while (!_onTheWay.IsEmpty && _time.GetElapsedTime(started) < PurgeMost) Poll(PollMost);
        _client.Dispose();
        foreach (var append in _onTheWay.Keys) Abandon(append);
        _ended.SetResult();
    }

    /// <summary>No report of it will come any more.</summary>
    private void Abandon(PendingAppend append)
    {
        append.Abandon(NativeErrors.Purged);
        Finish(append);
    }

    private void Poll(TimeSpan most)
    {
        _client.Poll(most);

        // What waits leaves before owners are told.
        foreach (var append in _completed) LetNextGo(append);
        foreach (var append in _completed) Finish(append);
        _completed.Clear();
    }

    private PartitionQueue QueueOf(TopicPartition partition, string topic)
    {
        var handle = _client.Topic(topic);
        return new PartitionQueue((append, records) =>
        {
            var taken = RecordWriter.Write(
                _client, handle, partition.Partition, records, append.Opaque, out var error);
            return (taken, error);
        }, FinishLater);
    }

    private void LetNextGo(PendingAppend answered)
    {
        _life.EnterReadLock();
        try
        {
            if (!_isFatal) _partitions[answered.Partition].Answered(answered);
        }
        finally
        {
            _life.ExitReadLock();
        }
    }

    /// <summary>An owner is never told within its call.</summary>
    private void FinishLater(PendingAppend append) =>
        ThreadPool.UnsafeQueueUserWorkItem(answered =>
        {
            LetNextGo(answered);
            Finish(answered);
        }, append, preferLocal: false);

    private void Finish(PendingAppend append)
    {
        if (!_onTheWay.TryRemove(append, out _)) return;
        _done(append);
        append.Complete();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe void OnDelivery(nint client, NativeMessage* message, nint opaque)
    {
        if (PendingAppend.Of(message->Opaque) is { } append && append.Report(message->Error, message->Offset))
            _polling?._completed.Add(append);
    }
}
