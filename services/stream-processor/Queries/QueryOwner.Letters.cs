using System.Runtime.CompilerServices;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Primitives;
using Millrace.Saql;

namespace Millrace.StreamProcessor.Queries;

/// <summary>What failing rows become.</summary>
internal sealed partial class QueryOwner
{
    private const int WholeRecord = -1;

    /// <summary>Made one at a time: each has its record in full, and a record may fail very often.</summary>
    private async IAsyncEnumerable<DeadLetter> LettersAsync(
        RecordBatch batch, IEnumerable<QueryRowFailure> failures, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var ofRecord in failures.GroupBy(failure => (failure.Source, failure.Offset)))
        {
            var first = ofRecord.First();
            var found = Letter(batch, first) ?? await EarlierAsync(first, ct);
            foreach (var letter in LettersOf(found ?? Unrecorded(first), [.. ofRecord]))
                yield return found is null ? letter.WithoutRecord("the log has deleted its record") : letter;
        }
    }

    /// <summary>The letters of a record's failures; one that stands for all when they would be too large.</summary>
    /// <param name="letter">That of the first.</param>
    private IEnumerable<DeadLetter> LettersOf(DeadLetter letter, List<QueryRowFailure> failures)
    {
        var bytes = (long)letter.Value.Length + letter.Headers.Sum(header => header.Value.Length);
        if (failures.Count == 1 || bytes * failures.Count <= _services.Options.RecordLettersBytesMax.Bytes)
        {
            return failures.Select(failure => letter with
            {
                Element = failure.Element,
                ErrorCode = failure.Code,
                Reason = failure.Reason,
            });
        }

        var elements = failures.Select(failure => failure.Element).Distinct().Count();
        return
        [
            letter with
            {
                Element = WholeRecord,
                ErrorCode = StreamProcessorErrors.RecordFailsOften.Code,
                Reason = $"{failures.Count} rows of {elements} elements failed, the first with " +
                    $"{letter.ErrorCode} {letter.Reason}",
            },
        ];
    }

    private DeadLetter? Letter(RecordBatch batch, QueryRowFailure failure)
    {
        if (batch.Partition != failure.Source) return null;
        foreach (var record in batch)
        {
            if (record.Offset != failure.Offset) continue;
            return DeadLetter.Of(record, failure.Source, DeadLetterStages.Query, failure.Code, failure.Reason,
                _services.Time.GetUtcNow(), _place.Config.Name, _place.Config.Version, failure.Element);
        }

        return null;
    }

    /// <summary>
    /// Of a row that came from an earlier record: it waited for the watermark, or a window is named after it. Null when
    /// retention has deleted the record since.
    /// </summary>
    private async Task<DeadLetter?> EarlierAsync(QueryRowFailure failure, CancellationToken ct)
    {
        try
        {
            await using var reader = _services.Log.OpenReader(failure.Source, failure.Offset);
            return Letter(await reader.ReadAsync(1, ct), failure);
        }
        catch (MillraceException e) when (e.Error.Definition == EventLogErrors.Trimmed)
        {
            return null;
        }
    }

    private DeadLetter Unrecorded(QueryRowFailure failure)
    {
        var now = _services.Time.GetUtcNow();
        return new DeadLetter(DeadLetterStages.Query, _place.Config.Name, _place.Config.Version, failure.Source.Topic,
            failure.Source.Partition, failure.Offset, failure.Element, failure.Code, failure.Reason, now, now, null,
            now.ToUnixTimeMilliseconds(), [], []);
    }
}
