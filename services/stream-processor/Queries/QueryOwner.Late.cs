using Millrace.Contracts;
using Millrace.Saql;
using Millrace.Stores.Checkpoints;

namespace Millrace.StreamProcessor.Queries;

/// <summary>Dead letters that are tried again: they are input that comes now.</summary>
internal sealed partial class QueryOwner
{
    private readonly Dictionary<(TopicPartition Source, long Offset, int Element), string> _lateIds = [];

    /// <summary>
    /// Takes a dead letter as late input at this owner's position, which is made durable first; its rows are durable
    /// when this returns.
    /// </summary>
    public async Task<LateAnswer> TakeLateAsync(DeadLetter letter, CancellationToken ct)
    {
        var input = new TopicPartition(letter.Topic, letter.Partition);
        if (_place.Sources.FirstOrDefault(s => s.Partition == input) is not { } source)
            return LateAnswer.Refused(letter, $"{_place.Config.Name} does not read {input}.");
        if (letter.QueryVersion != _place.Config.Version && source.StartOffset <= letter.Offset)
            return LateAnswer.Refused(letter, $"Version {_place.Config.Version} has read the record itself.");
        if (letter.ErrorCode == StreamProcessorErrors.RecordFailsOften.Code)
            return LateAnswer.Refused(letter, "It stands for many elements, and its other elements were answered.");
        if (letter.TimestampMs > _services.Clock.LatestMs(letter.Topic))
            return LateAnswer.Refused(letter, "Its time is still further ahead than is believed.");
        if (IsCatchingUp || _engine.AwaitsLate(input)) return LateAnswer.NotHere;
        var position = _engine.Positions.First(p => p.Partition == input).Offset;
        await _saving.SettleAsync();
        await SettleMarksAsync(ct);
        switch (await _services.Checkpoints.AddLateAsync(_place.Key, _epoch, input, position, letter, ct))
        {
            case LateOutcome.Stale: throw Stale();
            case LateOutcome.Known: return LateAnswer.Taken;
        }

        Remember(letter);
        _engine.Late(input, position, new LateRecord(letter.ToRecord(), letter.Element));
        var refusal = _writer.Failures.Where(f => f.IsLate).Select(f => $"{f.Code} {f.Reason}".TrimStart())
            .FirstOrDefault();
        await EmitAsync(RecordBatch.None(input, position), ct);
        _lateIds.Remove(KeyOf(letter));
        return refusal is null ? LateAnswer.Taken : LateAnswer.Refused(letter, refusal);
    }

    private void Remember(DeadLetter? late)
    {
        if (late is not null) _lateIds[KeyOf(late)] = late.Id;
    }

    private static (TopicPartition Source, long Offset, int Element) KeyOf(DeadLetter letter) =>
        (new TopicPartition(letter.Topic, letter.Partition), letter.Offset, letter.Element);

    /// <summary>
    /// Lets late letters that failed again be tried once more; also those of an owner before, which may have ended
    /// before it could. There is no new letter: whoever asked for the replay hears of it.
    /// </summary>
    private async ValueTask RefuseLateAsync(CancellationToken ct)
    {
        foreach (var failure in _writer.Failures.Where(failure => failure.IsLate))
        {
            foreach (var (key, id) in _lateIds.Where(late => IsOf(failure, late.Key)).ToList())
            {
                await _services.Checkpoints.RefuseLateAsync(_place.Key, id, ct);
                _lateIds.Remove(key);
            }
        }

        _writer.Failures.RemoveAll(failure => failure.IsLate);
    }

    /// <summary>What fails as a whole fails for each of its elements.</summary>
    private static bool IsOf(QueryRowFailure failure, (TopicPartition Source, long Offset, int Element) late) =>
        late.Source == failure.Source && late.Offset == failure.Offset
        && (late.Element == failure.Element || late.Element == WholeRecord || failure.Element == WholeRecord);
}
