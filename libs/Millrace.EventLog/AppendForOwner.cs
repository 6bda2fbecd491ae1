using Millrace.Contracts;

namespace Millrace.EventLog;

/// <summary>Tells an owner what came of an awaited append, for a log that has no thread to tell it on.</summary>
internal static class AppendForOwner
{
    public static async Task RunAsync(
        IEventLog log, TopicPartition partition, RecordBatchBuilder records, IAppendOwner owner)
    {
        // Also what fails at once is told later: an owner is never called within its call.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        OffsetRange offsets;
        try
        {
            offsets = await log.AppendAsync(partition, records).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            owner.OnAppendFailed(failure);
            return;
        }

        owner.OnAppended(offsets);
    }
}
