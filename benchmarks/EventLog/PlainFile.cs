using System.Diagnostics;
using Millrace.EventLog.Disk;

namespace Millrace.Benchmarks.EventLog;

/// <summary>The peer: write, fdatasync, and again, and nothing else.</summary>
internal static class PlainFile
{
    /// <summary>Writes a second, of this size each, of all writers together; each has a file of its own.</summary>
    public static double Rate(string folder, int writeBytes, int writers, TimeSpan time)
    {
        var total = 0L;
        var watch = Stopwatch.StartNew();
        var threads = Enumerable.Range(0, writers).Select(_ => new Thread(() =>
        {
            Interlocked.Add(ref total, Write(folder, writeBytes, watch, time));
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return total / watch.Elapsed.TotalSeconds;
    }

    private static long Write(string folder, int writeBytes, Stopwatch watch, TimeSpan time)
    {
        var path = Path.Combine(folder, Path.GetRandomFileName());
        var bytes = new byte[writeBytes];
        new Random(1).NextBytes(bytes);
        var count = 0L;
        using (var file = new HostDisk().Create(path))
        {
            for (; watch.Elapsed < time; count++)
            {
                file.Write(bytes, count * writeBytes);
                file.Sync();
            }
        }

        File.Delete(path);
        return count;
    }
}
