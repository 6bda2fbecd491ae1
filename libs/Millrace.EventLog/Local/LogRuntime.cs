using Microsoft.Extensions.Logging;
using Millrace.EventLog.Disk;
using Millrace.EventLog.Local.WriteAhead;
using Millrace.Primitives;

namespace Millrace.EventLog.Local;

/// <summary>What all partitions of one log share.</summary>
internal sealed record LogRuntime(
    ILogDisk Disk, EventLogOptions Options, TimeProvider Time, ILogger Log, EventLogMetrics Metrics,
    WriterThreads Threads, WriteAheadLog WriteAhead, DiskGuard Guard)
{
    public long NowMs => Time.GetUtcNow().ToUnixTimeMilliseconds();

    public static Error Damaged(string path, long position, string? detail = null) =>
        EventLogErrors.Damaged.With($"{path} at byte {position}", detail);

    /// <summary>
    /// Makes the folder, and each missing one above it, so that it is there after a crash. One that is there already
    /// may be so only in memory: whoever made it may have been killed before it was durable.
    /// </summary>
    public static void MakeFolder(ILogDisk disk, string path)
    {
        var above = Path.GetDirectoryName(path);
        var exists = disk.FolderExists(path);
        if (!exists)
        {
            if (above is not null) MakeFolder(disk, above);
            disk.CreateFolder(path);
        }

        if (above is null) return;
        try
        {
            disk.SyncFolder(above);
        }
        catch (UnauthorizedAccessException) when (exists)
        {
            // A folder above ours that we may not open: it was there before us.
        }
    }
}
