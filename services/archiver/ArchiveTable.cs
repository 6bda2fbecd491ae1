using Microsoft.Extensions.Logging;
using Millrace.Contracts;
using Millrace.Delta;
using Millrace.EventLog;

namespace Millrace.Archiver;

/// <summary>The archiver's own view of the table, and the way of all its commits; readers have their own.</summary>
internal sealed class ArchiveTable(DeltaTable table, ArchiverMetrics metrics, ILogger<ArchiveTable> logger)
    : IDisposable
{
    public DeltaTable Table => table;

    /// <summary>The query output whose rows it has, as its place says; null for telemetry.</summary>
    public string? Output => table.Root.StartsWith(OutputTable.RootPrefix, StringComparison.Ordinal)
        ? table.Root[OutputTable.RootPrefix.Length..]
        : null;

    /// <summary>As statements name it.</summary>
    public string Name => Output ?? table.Root;

    /// <summary>The topic whose records are its rows; null when the log has none.</summary>
    public string? TopicIn(IEventLog log) => Output is null
        ? Topics.Telemetry
        : log.Topics.FirstOrDefault(topic => topic.Equals(Topics.Output(Output), StringComparison.OrdinalIgnoreCase));

    /// <summary>Commits, and keeps the table's log in order.</summary>
    public async ValueTask<DeltaCommitResult> CommitAsync(DeltaCommit commit, CancellationToken ct)
    {
        var result = await table.CommitAsync(commit, ct).ConfigureAwait(false);
        metrics.Conflicts(result.Conflicts);
        if (result.Outcome == DeltaCommitOutcome.Committed) await TidyAsync(result.Version, ct).ConfigureAwait(false);
        return result;
    }

    public void Dispose() => table.Dispose();

    /// <summary>The commit stands, whatever becomes of this.</summary>
    private async ValueTask TidyAsync(long version, CancellationToken ct)
    {
        try
        {
            await table.TidyLogAsync(version, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            metrics.UpkeepFailed("log");
            logger.LogNotTidied(e, version);
        }
    }
}
