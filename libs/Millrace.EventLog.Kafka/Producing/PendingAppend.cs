using System.Runtime.InteropServices;
using Millrace.Contracts;
using Millrace.EventLog.Kafka.Native;
using Millrace.Primitives;

namespace Millrace.EventLog.Kafka.Producing;

/// <summary>
/// One append on its way: counts the brokers' reports of its records, and tells its owner when the last one is in.
/// </summary>
internal sealed class PendingAppend
{
    private readonly GCHandle _self;
    private readonly TopicPartition _partition;
    private readonly IAppendOwner _owner;

    // Reports that are to come, and one more while records are handed over.
    private int _open;
    private long _first = -1;
    private long _last = -1;
    private int _error;

    public PendingAppend(TopicPartition partition, RecordBatchBuilder records, IAppendOwner owner, long startedAt)
    {
        (_partition, _owner, StartedAt) = (partition, owner, startedAt);
        (Bytes, Records, _open) = (records.ByteCount, records.Count, records.Count + 1);
        _self = GCHandle.Alloc(this);
    }

    public int Bytes { get; }

    public int Records { get; }

    /// <summary>A timestamp of the clock, when it was asked for.</summary>
    public long StartedAt { get; }

    public TopicPartition Partition => _partition;

    /// <summary>What stands for it in the library.</summary>
    public nint Opaque => GCHandle.ToIntPtr(_self);

    public static PendingAppend? Of(nint opaque) => GCHandle.FromIntPtr(opaque).Target as PendingAppend;

    /// <summary>The report of one record, in their order. True when it was the last that was missing.</summary>
    public bool Report(int error, long offset)
    {
        if (error == 0 && offset > _last)
        {
            if (_first < 0) _first = offset;
            _last = offset;
        }
        else if (_error == 0)
        {
            // Without an offset, or out of order: written perhaps, but nobody can say where.
            _error = error == 0 ? NativeErrors.BadMessage : error;
        }

        return Interlocked.Decrement(ref _open) == 0;
    }

    /// <summary>How many of its records the library took.</summary>
    public int Taken { get; private set; }

    /// <summary>
    /// Says that no more records will be handed over, and that so many were, because of an error if not all; without
    /// one, somebody has changed the builder. True when no report is missing.
    /// </summary>
    public bool HandedOver(int taken, int error)
    {
        Taken = taken;
        if (taken < Records)
            Interlocked.CompareExchange(ref _error, error == 0 ? NativeErrors.BadMessage : error, 0);
        return Interlocked.Add(ref _open, taken - Records - 1) == 0;
    }

    /// <summary>It was never handed over.</summary>
    public void Refuse(Exception why)
    {
        _self.Free();
        _owner.OnAppendFailed(why);
    }

    /// <summary>Gives the owner the answer; the library knows nothing of this append any more.</summary>
    public void Complete()
    {
        _self.Free();
        if (_error == 0) _owner.OnAppended(new OffsetRange(_first, _last + 1));
        else _owner.OnAppendFailed(Failure().AsException());
    }

    public bool Succeeded => _error == 0;

    /// <summary>Reports will not come any more.</summary>
    public void Abandon(int error) => _error = error;

    private Error Failure()
    {
        var why = Rdkafka.Describe(_error);
        return _error == NativeErrors.MessageTooLarge && _first < 0
            ? EventLogErrors.AppendTooLarge.With(_partition, why)
            : EventLogErrors.AppendUncertain.With(_partition, why);
    }
}
