using System.Text;
using Millrace.Contracts;
using Millrace.Delta;
using Millrace.EventLog;
using Millrace.Stores.Queries;
using Millrace.TestKit;

namespace Millrace.Archiver.Tests;

/// <summary>A query's output beside the archiver: its rows are written as owners of the query write them.</summary>
internal sealed class OutputHarness(ArchiverHarness archive, string output)
{
    public const int Version = 2;
    private const long At = 1_764_000_000_000;

    private int _saved;

    public string Topic { get; } = Topics.Output(output);

    /// <summary>Stores the query with or without the option, as applying it does.</summary>
    public async Task ApplyAsync(bool isArchived)
    {
        var query = new QueryConfig
        {
            Name = "q",
            Version = Version,
            Text = $"SELECT * INTO {output} FROM telemetry",
            Outputs = [output, Topics.Alerts],
            Options = new QueryOptions { ArchiveOutputs = isArchived },
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        };
        Assert.That(await archive.Get<IQueryStore>().SaveAsync(query, _saved), Is.True);
        _saved = Version;
    }

    public Task RowAsync(int partition, long epoch, string rowId, string body, string? device = null) =>
        AppendAsync(partition, record =>
        {
            record.Begin(At, Encoding.UTF8.GetBytes(device ?? ""), hasKey: device is not null);
            record.AddHeader(OutputHeaders.RowId, Encoding.UTF8.GetBytes(rowId));
            record.AddHeader(OutputHeaders.Epoch, Encoding.UTF8.GetBytes($"{epoch}"));
            record.AddHeader(OutputHeaders.Query, Encoding.UTF8.GetBytes($"q/{Version}"));
            record.AddHeader(OutputHeaders.RowTime, Encoding.UTF8.GetBytes($"{At - 1_000}"));
            record.End(Encoding.UTF8.GetBytes(body));
        });

    public Task FenceAsync(int partition, long epoch) => AppendAsync(partition, record =>
    {
        record.Begin(At, [], hasKey: false);
        record.AddHeader(OutputHeaders.Epoch, Encoding.UTF8.GetBytes($"{epoch}"));
        record.AddHeader(OutputHeaders.Query, Encoding.UTF8.GetBytes($"q/{Version}"));
        record.AddHeader(OutputHeaders.Fence, []);
        record.End([]);
    });

    public async Task AppendAsync(int partition, Action<RecordBatchBuilder> write)
    {
        await archive.Log.EnsureTopicAsync(new TopicSpec(Topic, ArchiverHarness.Partitions));
        using var records = new RecordBatchBuilder();
        write(records);
        await archive.Log.AppendAsync(new TopicPartition(Topic, partition), records);
    }

    public async Task<DeltaSnapshot?> TableAsync()
    {
        using var table = new DeltaTable(archive.Objects, OutputTable.RootOf(output), TimeProvider.System);
        return await table.RefreshAsync();
    }

    public Task CaughtUpAsync() => Eventually.TrueAsync(
        async () =>
        {
            var table = await TableAsync();
            for (var partition = 0; partition < ArchiverHarness.Partitions; partition++)
            {
                var next = (await archive.Log.RangeAsync(new TopicPartition(Topic, partition))).Next;
                if ((table?.PositionOf($"{Topic}/{partition}") ?? 0) < next) return false;
            }

            return true;
        },
        "the output is archived");

    /// <summary>The identities of all rows, in order.</summary>
    public async Task<List<string>> RowIdsAsync() =>
        await archive.SqlAsync($"SELECT row_id FROM \"{output}\" ORDER BY row_id");
}
