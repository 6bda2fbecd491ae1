using System.Globalization;
using System.Text;
using Millrace.Contracts;
using Millrace.EventLog.Local;
using Millrace.Primitives;

namespace Millrace.EventLog.Tests.Kill;

/// <summary>
/// The process that the kill tests kill: this test assembly, run by itself. Appends as fast as it can to every
/// partition from several tasks, and writes a line for each acknowledgement: what it appended, and where that is.
/// </summary>
internal static class KilledWriter
{
    public const string Topic = "telemetry";
    public const int Partitions = 4;
    private const int Appenders = 8;

    public static async Task<int> Main(string[] args)
    {
        if (args is not [var folder, var life]) return 2;
        await using var log = LocalLog.Open(folder, Options());
        await log.EnsureTopicAsync(new TopicSpec(Topic, Partitions));
        using var output = new StreamWriter(Console.OpenStandardOutput(), Encoding.ASCII, 64) { AutoFlush = true };
        var said = new Lock();
        await Task.WhenAll(Enumerable.Range(0, Appenders).Select(number => Task.Run(async () =>
        {
            var random = new Random(number);
            using var builder = new RecordBatchBuilder();
            for (var serial = 0; ; serial++)
            {
                var partition = new TopicPartition(Topic, random.Next(Partitions));
                var value = $"{life}-{number}-{serial}";
                Build(builder, value, random);
                var (offset, _) = await log.AppendAsync(partition, builder);
                lock (said) output.Write(Line(value, partition, offset, builder.Count));
                if (serial % 16 != 0) continue;
                await log.CommitAsync("group", partition, offset);
                lock (said) output.Write(Line("commit", partition, offset, 0));
            }
        })));
        return 0;
    }

    /// <summary>Small segments, so that a process is also killed as it goes from one to the next.</summary>
    public static EventLogOptions Options() => new()
    {
        SegmentBytesMax = ByteSize.FromKiB(32),
        IndexIntervalBytes = ByteSize.FromKiB(4),
        FreeBytesMin = default,
    };

    private static void Build(RecordBatchBuilder builder, string value, Random random)
    {
        builder.Clear();
        var count = random.Next(1, 4);
        for (var i = 0; i < count; i++)
        {
            builder.Begin(1, default);
            builder.End(Encoding.ASCII.GetBytes($"{value}.{i}{new string('x', random.Next(300))}"));
        }
    }

    private static string Line(string value, TopicPartition partition, long offset, int count) =>
        string.Create(CultureInfo.InvariantCulture, $"{value} {partition.Partition} {offset} {count}\n");
}
