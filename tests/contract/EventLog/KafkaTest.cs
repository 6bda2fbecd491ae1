using System.Text;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.EventLog.Kafka;

namespace Millrace.Contract.Tests.EventLog;

/// <summary>Tests of what the log does on brokers beside the suite that every log passes.</summary>
public abstract class KafkaTest
{
    private readonly List<KafkaLog> _logs = [];

    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    protected KafkaLogOptions Options { get; private set; } = null!;

    [SetUp]
    public async Task FindBrokers() => Options = await KafkaBrokers.OptionsAsync($"t{Guid.NewGuid():N}.");

    [TearDown]
    public async Task CloseLogs()
    {
        foreach (var log in _logs) await log.DisposeAsync();
        _logs.Clear();
        if (Options is not null) await KafkaBrokers.DeleteTopicsAsync(Options.Prefix);
    }

    /// <summary>A log, as another process would have it.</summary>
    protected KafkaLog Open(KafkaLogOptions? options = null)
    {
        var log = new KafkaLog(options ?? Options);
        _logs.Add(log);
        return log;
    }

    protected async Task<KafkaLog> OpenAsync(string topic, int partitions = 4)
    {
        var log = Open();
        await log.EnsureTopicAsync(new TopicSpec(topic, partitions));
        return log;
    }

    protected static async Task<OffsetRange> AppendAsync(
        IEventLog log, TopicPartition partition, params string[] values)
    {
        using var records = new RecordBatchBuilder();
        foreach (var value in values)
        {
            records.Begin(1_000, "device"u8);
            records.End(Encoding.UTF8.GetBytes(value));
        }

        return await log.AppendAsync(partition, records);
    }

    protected static async Task<List<string>> ReadAsync(IEventLog log, TopicPartition partition, int count)
    {
        using var patience = new CancellationTokenSource(Patience);
        await using var reader = log.OpenReader(partition, 0);
        var values = new List<string>();
        while (values.Count < count) Collect(await reader.ReadAsync(ct: patience.Token), values);
        return values;
    }

    protected static void Collect(RecordBatch batch, List<string> values)
    {
        foreach (var record in batch) values.Add(Encoding.UTF8.GetString(record.Value));
    }
}
