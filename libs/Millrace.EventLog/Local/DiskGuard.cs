using Microsoft.Extensions.Logging;
using Millrace.EventLog.Disk;
using Millrace.Primitives;

namespace Millrace.EventLog.Local;

/// <summary>
/// Refuses appends before the disk is full, so that stores and queries on the same disk keep room to work off what was
/// accepted. Asks the disk once a second, or each time that some mebibytes were appended.
/// </summary>
internal sealed class DiskGuard(ILogDisk disk, string folder, ByteSize freeBytesMin, TimeProvider time, ILogger log)
{
    private const long AskAfterBytes = 4 << 20;
    private static readonly TimeSpan AskAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _asking = new();
    private long _askedAt = time.GetTimestamp() - time.TimestampFrequency * 3600;
    private long _bytesSince;
    private volatile Error? _refusal;

    /// <summary>Why nothing of this size may be appended now; null when there is room.</summary>
    public Error? Refusal(long bytes)
    {
        if (freeBytesMin.Bytes == 0) return null;
        var since = Interlocked.Add(ref _bytesSince, bytes);
        if (since < AskAfterBytes && time.GetElapsedTime(Volatile.Read(ref _askedAt)) < AskAfter) return _refusal;
        // One caller asks; the rest go by the answer before.
        if (!_asking.TryEnter()) return _refusal;
        try
        {
            return Ask();
        }
        finally
        {
            _asking.Exit();
        }
    }

    private Error? Ask()
    {
        Volatile.Write(ref _askedAt, time.GetTimestamp());
        Volatile.Write(ref _bytesSince, 0);
        var free = disk.FreeBytes(folder);
        var refusal = free >= freeBytesMin.Bytes
            ? null
            : EventLogErrors.DiskFull.With(folder, $"{free} bytes are free, {freeBytesMin} must stay free.");
        if (refusal is not null && _refusal is null) log.DiskGuardClosed(refusal.ToString());
        if (refusal is null && _refusal is not null) log.DiskGuardOpened(free);
        _refusal = refusal;
        return refusal;
    }
}
