using Apache.Arrow;
using Apache.Arrow.Types;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Batch;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Runs;
using Millrace.Models.Registry;
using Millrace.Models.Scoring;
using Millrace.Models.Training;
using Millrace.ObjectStore;
using Millrace.Saql.Models;

namespace Millrace.ColdPath.Models;

/// <summary>Runs jobs that have to do with a model: on the rows that the batch engine gives.</summary>
internal sealed class ModelJobs(
    IBatchEngine engine, IObjectStore store, ResultTable results, ModelRegistry registry, ModelScorers scorers,
    ModelRetention retention, ModelMetrics metrics, IOptions<ColdPathOptions> options, ILogger<ModelJobs> log)
{
    private readonly long _rowsMax = options.Value.TrainingRowsMax;
    private readonly long _scoredBytesMax = options.Value.ScoredFileSize.Bytes;

    public Task<BatchWritten> RunAsync(JobDefinition job, TimePart part, BatchQuery query, CancellationToken ct) =>
        job.Model!.Does switch
        {
            ModelStep.Train => TrainAsync(job, part, query, ct),
            ModelStep.Score => ScoreAsync(job, part, query, ct),
            _ => DriftAsync(job, part, query, ct),
        };

    private async Task<BatchWritten> TrainAsync(
        JobDefinition job, TimePart part, BatchQuery query, CancellationToken ct)
    {
        var model = job.Model!;
        TrainingData data;
        await using (var result = await engine.QueryAsync(query, ct).ConfigureAwait(false))
            data = await FeatureColumns.ReadAsync(result, model, _rowsMax, ct).ConfigureAwait(false);
        var trained = ModelTrainer.Train(data, new TrainingPlan(model.Kind!.Value, model.HoldOut, model.Seed));
        ct.ThrowIfCancellationRequested();
        var made = await registry.AddAsync(new ModelDraft(model.Name, model.Kind.Value, ModelFormat.MlNet,
            trained.Features, trained.Metrics, "cold-path", $"{job.Name} {part.Name}"), trained.Content, ct)
            .ConfigureAwait(false);
        metrics.Trained(model.Name);
        log.ModelTrained(job.Name, made.Name, made.Version, data.Rows);
        await retention.PruneAsync(made.Name, ct).ConfigureAwait(false);
        return new BatchWritten(data.Rows, [made.Content.Key], made.Content.Bytes);
    }

    private async Task<BatchWritten> ScoreAsync(
        JobDefinition job, TimePart part, BatchQuery query, CancellationToken ct)
    {
        var (manifest, scorer) = await PromotedAsync(job.Model!.Name, ct).ConfigureAwait(false);
        await using var result = await engine.QueryAsync(query, ct).ConfigureAwait(false);
        var schema = new Schema([.. result.Schema.FieldsList, new Field("score", DoubleType.Default, nullable: true),
            new Field("model_version", Int64Type.Default, nullable: false)], null);
        var incomplete = 0L;
        var written = await results.ReplaceAsync(job.Name, part, schema, async prefix =>
        {
            using var rows = new ParquetParts(store, prefix, schema, _scoredBytesMax);
            await foreach (var batch in result.Batches.WithCancellation(ct).ConfigureAwait(false))
            {
                var scores = Scores(batch, manifest, scorer);
                incomplete += scores.NullCount;
                using var versions = new Int64Array.Builder()
                    .AppendRange(Enumerable.Repeat((long)manifest.Version, batch.Length)).Build();
                await rows.AddAsync(new RecordBatch(schema, [.. batch.Arrays, scores, versions], batch.Length), ct)
                    .ConfigureAwait(false);
            }

            return await rows.CompleteAsync(ct).ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
        metrics.Scored(manifest.Name, written.Rows, incomplete);
        return written;
    }

    private static DoubleArray Scores(RecordBatch batch, ModelManifest manifest, IModelScorer scorer)
    {
        var columns = manifest.Features.Select(one => FeatureColumns.Numbers(batch, one.Name)).ToArray();
        var features = new float[columns.Length];
        var scores = new DoubleArray.Builder().Reserve(batch.Length);
        for (var row = 0; row < batch.Length; row++)
        {
            var isWhole = true;
            for (var i = 0; i < features.Length; i++)
            {
                features[i] = columns[i][row];
                isWhole &= !float.IsNaN(features[i]);
            }

            if (isWhole) scores.Append(scorer.Score(features));
            else scores.AppendNull();
        }

        return scores.Build();
    }

    private async Task<BatchWritten> DriftAsync(
        JobDefinition job, TimePart part, BatchQuery query, CancellationToken ct)
    {
        var (manifest, _) = await PromotedAsync(job.Model!.Name, ct).ConfigureAwait(false);
        var drifts = manifest.Features.ToDictionary(one => one.Name, one => new DriftMeter(one.Training));
        await using (var result = await engine.QueryAsync(query, ct).ConfigureAwait(false))
        {
            await foreach (var batch in result.Batches.WithCancellation(ct).ConfigureAwait(false))
                foreach (var (name, drift) in drifts) drift.Add(FeatureColumns.Numbers(batch, name));
        }

        foreach (var (name, drift) in drifts)
            if (drift.StabilityIndex is { } index) metrics.Drifted(manifest.Name, name, index);
        return await results.ReplaceAsync(job.Name, part, DriftRows.Schema, async prefix =>
        {
            using var rows = new ParquetParts(store, prefix, DriftRows.Schema, _scoredBytesMax);
            await rows.AddAsync(DriftRows.Batch(manifest, drifts), ct).ConfigureAwait(false);
            return await rows.CompleteAsync(ct).ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
    }

    private async Task<(ModelManifest Manifest, IModelScorer Scorer)> PromotedAsync(string name, CancellationToken ct)
    {
        var version = await scorers.PromotedAsync(name, ct).ConfigureAwait(false);
        return (await registry.GetAsync(name, version, ct).ConfigureAwait(false),
            await scorers.OpenAsync(name, version, ct).ConfigureAwait(false));
    }
}
