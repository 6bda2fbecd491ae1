using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Saql;
using Millrace.Saql.Decoding;
using Millrace.Stores.Checkpoints;
using Millrace.StreamProcessor.References;

namespace Millrace.StreamProcessor.Queries;

/// <summary>
/// Owns one place of a query: takes it over by raising its epoch, fences its outputs, goes on from the checkpoint,
/// answers batches, and saves. For one caller at a time, who may go on while a checkpoint is on its way.
/// </summary>
internal sealed partial class QueryOwner : IAsyncDisposable
{
    private readonly QueryServices _services;
    private readonly QueryPlace _place;
    private readonly QueryProgress _progress;
    private readonly long _epoch;
    private readonly OwnerWriter _writer;
    private readonly QueryEngine _engine;
    private readonly TakenReferences _references;
    private readonly KeyValuePair<string, object?> _query;
    private readonly KeyValuePair<string, object?> _stage;
    private long _modelsAt;
    private IReadOnlyList<SharedLease> _shared = [];
    private long _rowsShared;
    private QueryFigures _figures;

    private QueryOwner(
        QueryServices services, QueryPlace place, QueryProgress progress, long epoch, OwnerWriter writer,
        QueryEngine engine)
    {
        (_services, _place, _progress, _epoch, _writer, _engine) = (services, place, progress, epoch, writer, engine);
        _query = StreamProcessorMetrics.Query(place.Config.Name);
        _stage = StreamProcessorMetrics.Stage(place.Stage.ToString().ToLowerInvariant());
        _savedAt = services.Time.GetTimestamp();
        var (name, first) = ($"query {place.Config.Name}", place.Sources[0].Partition);
        (_saving, _marking) = (new(services.Retry, name, first), new(services.Retry, name, first));
        _references = new TakenReferences(
            services.References, engine, place.UsesReferences ? place.Plan.References : [], place.Config.Name,
            services.Logger);
    }

    /// <summary>Where each source is read on from.</summary>
    public IReadOnlyList<PartitionOffset> Positions => _engine.Positions;

    /// <summary>Steps 1 to 4 of a take-over: epoch, fences, checkpoint, rows that stand already.</summary>
    public static async Task<QueryOwner> TakeOverAsync(
        QueryServices services, QueryPlace place, QueryProgress progress, CancellationToken ct)
    {
        var epoch = await services.Checkpoints.RaiseEpochAsync(place.Key, ct);
        StreamProcessorMetrics.EpochsRaised.Add(1, StreamProcessorMetrics.Query(place.Config.Name));
        var writer = place.CreateWriter(services.Log, services.Time, services.Options, epoch);
        var checkpoint = await services.Checkpoints.FindAsync(place.Key, ct);
        if (checkpoint is null) place = await EarlierPosition.MoveOnAsync(services.Checkpoints, place, ct);
        foreach (var (input, offset) in checkpoint?.Inputs ?? place.Starts) progress.Position(input, offset);
        var earlier = checkpoint is null ? await EarlierState.FindAsync(services.Checkpoints, place, ct) : null;
        // Of rows of the version before, those between the stages go on to count.
        var (version, stood) = earlier is not null && place.Stage == QueryStage.Dealer
            ? (earlier.Version, earlier.Checkpoint)
            : (place.Config.Version, checkpoint);
        var from = stood?.Outputs.DistinctBy(o => o.Partition).ToDictionary(o => o.Partition, o => o.Offset);
        await writer.FenceAsync(from ?? place.OutputStarts, new OwnerAge(version, stood?.Epoch ?? 0), ct);
        var ends = writer.KnownRows > 0 ? await EndsAsync(services.Log, place, ct) : null;

        var engine = place.CreateEngine(services.Options, writer);
        if (checkpoint is not null) engine.Restore(checkpoint.State);
        foreach (var (input, offset, _, letter) in earlier?.GiveTo(engine) ?? [])
        {
            // One that failed again is not taken once more by itself.
            if (letter is not null)
                await services.Checkpoints.AddLateAsync(place.Key, epoch, input, offset, letter, ct);
        }

        await services.Models.RestoreAsync(engine, ct);
        var marks = await services.Checkpoints.MarksAsync(place.Key, ct);
        foreach (var mark in marks) Recall(engine, mark);
        foreach (var (input, offset) in engine.Positions) progress.Position(input, offset);
        services.Logger.QueryRecovered(place.Config.Name, place.Partition, epoch, writer.KnownRows);
        var owner = new QueryOwner(services, place, progress, epoch, writer, engine) { _ends = ends };
        foreach (var late in marks.OfType<LateMark>()) owner.Remember(late.Letter);
        await owner.HoldAsync(owner.Positions, owner.IsCatchingUp ? [] : writer.Positions, ct);

        // What was joined or scored with before is part of the checkpoint.
        if (checkpoint is null && place.LooksOutside) await owner.LookOutsideAsync(ct);
        if (earlier is not null || (checkpoint is null && place.PrecedingVersion > 0))
        {
            owner._changed = true;
            await owner.SaveAsync(ct);
        }

        // A late letter that stands just where the checkpoint is has its rows now.
        await owner.EmitAsync(RecordBatch.None(place.Sources[0].Partition, 0), ct);
        if (place.Stage != QueryStage.Target)
            owner._shared = services.Shared.Join(engine, place.Sources.Select(source => source.Partition).Distinct());
        return owner;
    }

    /// <summary>Answers a batch; its rows and dead letters are durable when this returns.</summary>
    public async Task ProcessAsync(RecordBatch batch, CancellationToken ct)
    {
        if (_marks.Exists(mark => mark.Input == batch.Partition)) await SettleMarksAsync(ct);
        await LimitAsync(batch, ct);
        var begunAt = _services.Time.GetTimestamp();
        _engine.Process(batch);
        var busy = _services.Time.GetElapsedTime(begunAt).TotalSeconds;
        _recordsSinceSave += batch.Count;
        if (_place.Stage != QueryStage.Target) _progress.RecordsIn(batch.Count);
        _progress.Position(batch.Partition, batch.NextOffset);
        await EmitAsync(batch, ct);
        _progress.WentOn(_place);
        StreamProcessorMetrics.QueryBusy.Add(busy, _query);
        StreamProcessorMetrics.QueryDelay.Record(StreamProcessorMetrics.Age(batch, _services.Time), _query, _stage);
        if (_recordsSinceSave >= _services.Options.CheckpointRecords) await BeginSaveAsync(ct);
    }

    /// <summary>What only the clock decides: idle partitions, and the time for a checkpoint.</summary>
    public async Task TickAsync(CancellationToken ct)
    {
        if (_marking.IsEnded) await SettleMarksAsync(ct);
        if (_saving.IsEnded)
        {
            await _saving.Ended;
            if (_engine.AwaitsWatermark || _place.Activity is not null) await MarkIdleAsync(ct);
        }

        // What was not to be told at once.
        await _writer.FlushAsync(ct);
        EndCatchingUp();
        if (_place.LooksOutside && !IsCatchingUp) await RefreshAsync(ct);
        _progress.Watermark(_place.Partition, _engine.WatermarkMs);
        if (_saving.IsEnded && _services.Time.GetElapsedTime(_savedAt) >= _services.Options.CheckpointInterval)
            await BeginSaveAsync(ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _saving.DisposeAsync().ConfigureAwait(false);
        await _marking.DisposeAsync().ConfigureAwait(false);
        _writer.Dispose();
        foreach (var lease in _shared) lease.Dispose();
    }

    /// <summary>A decision of an owner before.</summary>
    public static void Recall(QueryEngine engine, InputMark mark)
    {
        switch (mark)
        {
            case TimeMark { LatestMs: { } latest }:
                engine.Limit(mark.Input, mark.Offset, latest);
                break;
            case TimeMark time:
                engine.Mark(time.Input, time.Offset, time.ArrivalMs);
                break;
            case LateMark late when late.Number > engine.LateTaken(late.Input):
                var batch = late.Letter?.ToRecord() ?? RecordBatch.None(late.Input, late.Offset);
                engine.Late(late.Input, late.Offset, new LateRecord(batch, late.Letter?.Element ?? -1));
                break;
        }
    }

    private async Task EmitAsync(RecordBatch batch, CancellationToken ct)
    {
        _changed = true;
        _progress.Unsaved(_place.Partition);
        await RefuseLateAsync(ct);
        if (_writer.Failures.Count > 0)
        {
            var failure = _writer.Failures[0];
            if (_place.Config.Options.OnError == Stores.Queries.RowErrorPolicy.Stop)
            {
                // Nobody else may come to it any more.
                _progress.Failed(failure with { CountsElsewhere = false });
                await _writer.FlushAsync(ct);
                var where = $"{failure.Source} offset {failure.Offset}";
                throw StreamProcessorErrors.RowFailed.With(where, $"{failure.Code} {failure.Reason}").AsException();
            }

            foreach (var failures in _writer.Failures.ToLookup(one => one.CountsElsewhere))
            {
                var letters = LettersAsync(batch, failures, ct);
                await _services.DeadLetters.WriteAsync(letters, ct, areCounted: !failures.Key);
            }

            _writer.Failures.ForEach(_progress.Failed);
            _writer.Failures.Clear();
        }

        await _writer.FlushAsync(ct);
        var figures = new QueryFigures(_engine.RowsIn, _engine.RowsTaken, _writer.RowsOut, _writer.RowsDropped);
        _progress.Answered(figures - _figures);
        _figures = figures;
        var shared = _shared.Sum(lease => lease.RowsFound);
        StreamProcessorMetrics.RowsShared.Add(shared - _rowsShared, _query);
        _rowsShared = shared;
    }

    private MillraceException Stale()
    {
        StreamProcessorMetrics.OwnersStale.Add(1, StreamProcessorMetrics.Query(_place.Config.Name));
        _services.Logger.OwnerStale(_place.Config.Name, _place.Partition, _epoch);
        return StreamProcessorErrors.OwnerStale.With($"{_place.Config.Name} {_place.Partition}").AsException();
    }
}
