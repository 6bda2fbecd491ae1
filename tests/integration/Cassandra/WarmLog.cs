using Millrace.Contracts;
using Millrace.EventLog.Local;
using Millrace.Hosting;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Cassandra;

/// <summary>A data folder with a log that its writers do not close, so that one goes on where another ended.</summary>
internal sealed class WarmLog : IAsyncDisposable
{
    public const int Partitions = 4;

    public static readonly TopicPartition Alerts = new(Topics.Alerts, 0);

    private readonly TemporaryFolder _folder = new();

    public WarmLog() => Open();

    public string Folder => _folder.Path;

    public LocalLog Log { get; private set; } = null!;

    public static IEnumerable<TopicPartition> Telemetry =>
        Enumerable.Range(0, Partitions).Select(number => new TopicPartition(Topics.Telemetry, number));

    /// <summary>For another process: a folder's log has one owner.</summary>
    public ValueTask CloseAsync() => Log.DisposeAsync();

    public void Open() => Log = LocalLog.Open(new DataFolder(Folder).Log);

    /// <summary>The offset after the last record of each partition.</summary>
    public async Task<long[]> EndsAsync()
    {
        var ends = new List<long>();
        foreach (var partition in Telemetry) ends.Add((await Log.RangeAsync(partition)).Next);
        return [.. ends];
    }

    public async Task<long> AlertsEndAsync() => (await Log.RangeAsync(Alerts)).Next;

    /// <summary>How far the warm writer has told the log that it is.</summary>
    public async Task<long[]> CommittedAsync()
    {
        var committed = new List<long>();
        foreach (var partition in Telemetry)
            committed.Add((await Log.CommittedAsync(ConsumerGroups.WarmWriter, partition))?.NextOffset ?? 0);
        return [.. committed];
    }

    /// <summary>The rows of some records from an offset on, and the offset after them.</summary>
    public async Task<(List<TelemetryMessage> Rows, long Next)> ReadAsync(TopicPartition partition, long offset)
    {
        await using var reader = Log.OpenReader(partition, offset);
        var batch = await reader.ReadAsync();
        var rows = new List<TelemetryMessage>();
        foreach (var record in batch)
            if (TelemetryMessage.TryRead(partition.Partition, record, out var row)) rows.Add(row!);
        return (rows, batch.NextOffset);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _folder.Dispose();
    }
}
