using System.Collections.Concurrent;
using System.Text;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Primitives;

namespace Millrace.Contract.Tests.EventLog.Faults;

/// <summary>Writers that append to every partition, and readers that follow, while brokers come and go.</summary>
internal sealed class AppendingLoad(IEventLog log, string topic, int partitions, int seed)
{
    private const int WritersEach = 2, RecordsMax = 20;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<(int Partition, long Offset), string> _acknowledged = [];
    private readonly Dictionary<int, List<string>> _read = [];
    private Task[] _writers = [];
    private Task[] _readers = [];

    public int Acknowledged
    {
        get
        {
            lock (_gate) return _acknowledged.Count;
        }
    }

    /// <summary>Why appends failed.</summary>
    public ConcurrentBag<string> Uncertain { get; } = [];

    public void Start()
    {
        _writers = [.. Enumerable.Range(0, partitions * WritersEach).Select(n => Task.Run(() => WriteAsync(n)))];
        _readers = [.. Enumerable.Range(0, partitions).Select(n => Task.Run(() => FollowAsync(n)))];
    }

    /// <summary>Ends the writers, lets the readers come to the end, and looks at what is there.</summary>
    public async Task EndAndCheckAsync(TimeSpan patience)
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_writers).WaitAsync(patience);
        for (var p = 0; p < partitions; p++)
        {
            var end = (await log.RangeAsync(new TopicPartition(topic, p))).Next;
            await TestKit.Eventually.TrueAsync(() => Seen(p) >= end, $"the reader of {p} comes to {end}", patience);
        }

        for (var p = 0; p < partitions; p++) await CheckAsync(p);
    }

    private int Seen(int partition)
    {
        lock (_gate) return _read.GetValueOrDefault(partition)?.Count ?? 0;
    }

    private async Task WriteAsync(int number)
    {
        var random = new Random(seed + number);
        var partition = new TopicPartition(topic, number % partitions);
        using var records = new RecordBatchBuilder();
        for (var serial = 0; !_stop.IsCancellationRequested;)
        {
            records.Clear();
            var values = Enumerable.Range(serial, random.Next(1, RecordsMax))
                .Select(n => $"{number}-{n:00000000}").ToList();
            serial += values.Count;
            foreach (var value in values)
            {
                records.Begin(1_000, "device"u8);
                records.End(Encoding.UTF8.GetBytes(value));
            }

            try
            {
                Keep(partition.Partition, await log.AppendAsync(partition, records), values);
            }
            catch (MillraceException e)
            {
                Uncertain.Add(e.Message);
            }
        }
    }

    private void Keep(int partition, OffsetRange range, List<string> values)
    {
        Assert.That(range.Next - range.First, Is.EqualTo(values.Count), "one process writes, so none stand between");
        lock (_gate)
        {
            for (var i = 0; i < values.Count; i++) _acknowledged.Add((partition, range.First + i), values[i]);
        }
    }

    private async Task FollowAsync(int number)
    {
        await using var reader = log.OpenReader(new TopicPartition(topic, number), 0);
        while (true)
        {
            var batch = await reader.ReadAsync();
            lock (_gate)
            {
                if (!_read.TryGetValue(number, out var values)) _read.Add(number, values = []);
                Assert.That(batch.FirstOffset, Is.EqualTo(values.Count));
                foreach (var record in batch) values.Add(Encoding.UTF8.GetString(record.Value));
            }
        }
    }

    /// <summary>What a new reader finds is what the one that was there all the time has seen.</summary>
    private async Task CheckAsync(int number)
    {
        var followed = _read[number];
        var values = new List<string>();
        await using var reader = log.OpenReader(new TopicPartition(topic, number), 0);
        while (values.Count < followed.Count)
        {
            foreach (var record in await reader.ReadAsync(1 << 20)) values.Add(Encoding.UTF8.GetString(record.Value));
        }

        Assert.That(values, Is.EqualTo(followed));
        Assert.That(values, Is.Unique);
        foreach (var writer in values.GroupBy(value => value.Split('-')[0])) Assert.That(writer, Is.Ordered);
        var missing = _acknowledged
            .Where(one => one.Key.Partition == number && values[(int)one.Key.Offset] != one.Value);
        Assert.That(missing, Is.Empty, "acknowledged, and not where it was said to be");
    }
}
