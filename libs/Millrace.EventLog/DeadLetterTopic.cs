using System.Text;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.Primitives;

namespace Millrace.EventLog;

/// <summary>
/// Appends dead letters to their topic, however many there are: each is encoded when its turn comes, and they are
/// appended together up to a size. One that the log does not take is appended without its record: better that than a
/// stage that stands still.
/// </summary>
public sealed class DeadLetterTopic(IEventLog log)
{
    private const int AppendBytes = 256 << 10;

    private static readonly TopicPartition Target = new(Topics.DeadLetter, 0);

    /// <summary>All letters are durable when it returns.</summary>
    /// <param name="appended">Told of each when it is durable, as it was appended.</param>
    public async ValueTask AppendAsync(
        IAsyncEnumerable<DeadLetter> letters, Action<DeadLetter>? appended, CancellationToken ct)
    {
        using var records = new RecordBatchBuilder();
        var gathered = new List<DeadLetter>();
        await foreach (var letter in letters.WithCancellation(ct).ConfigureAwait(false))
        {
            var (bytes, count) = (records.ByteCount, records.Count);
            Encode(letter, records);
            if (count > 0 && records.ByteCount > Math.Min(AppendBytes, log.RecordBytesMax))
            {
                records.BackTo(bytes, count);
                await FlushAsync(records, gathered, appended, ct).ConfigureAwait(false);
                Encode(letter, records);
            }

            gathered.Add(letter);
        }

        if (gathered.Count > 0) await FlushAsync(records, gathered, appended, ct).ConfigureAwait(false);
    }

    private static void Encode(DeadLetter letter, RecordBatchBuilder records)
    {
        records.Begin(letter.LastFailedAt.ToUnixTimeMilliseconds(), Encoding.UTF8.GetBytes(letter.Id));
        records.End(JsonSerializer.SerializeToUtf8Bytes(letter, ContractJson.Default.DeadLetter));
    }

    private async ValueTask FlushAsync(
        RecordBatchBuilder records, List<DeadLetter> gathered, Action<DeadLetter>? appended, CancellationToken ct)
    {
        try
        {
            await log.AppendAsync(Target, records, ct).ConfigureAwait(false);
        }
        catch (MillraceException e) when (e.Error.Definition == EventLogErrors.AppendTooLarge && gathered.Count == 1)
        {
            var letter = gathered[0];
            gathered[0] = letter.WithoutRecord($"it has {letter.Value.Length} bytes, and no letter takes them; "
                + $"see {letter.Topic}/{letter.Partition}, offset {letter.Offset}");
            records.Clear();
            Encode(gathered[0], records);
            await log.AppendAsync(Target, records, ct).ConfigureAwait(false);
        }

        records.Clear();
        if (appended is not null) gathered.ForEach(appended);
        gathered.Clear();
    }
}
