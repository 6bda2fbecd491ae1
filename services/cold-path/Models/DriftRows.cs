using Apache.Arrow;
using Apache.Arrow.Types;
using Millrace.Models.Registry;
using Millrace.Models.Training;

namespace Millrace.ColdPath.Models;

/// <summary>The results of a job that looks at drift: a row a feature.</summary>
internal static class DriftRows
{
    public static Schema Schema { get; } = new([
        new Field("model", StringType.Default, false), new Field("model_version", Int64Type.Default, false),
        new Field("feature", StringType.Default, false), new Field("stability_index", DoubleType.Default, true),
        new Field("rows", Int64Type.Default, false), new Field("mean", DoubleType.Default, true),
        new Field("training_mean", DoubleType.Default, true),
    ], null);

    public static RecordBatch Batch(ModelManifest manifest, IReadOnlyDictionary<string, DriftMeter> drifts)
    {
        var (models, versions) = (new StringArray.Builder(), new Int64Array.Builder());
        var (features, rows) = (new StringArray.Builder(), new Int64Array.Builder());
        var (indices, means, trained) = (new DoubleArray.Builder(), new DoubleArray.Builder(),
            new DoubleArray.Builder());
        foreach (var feature in manifest.Features)
        {
            var drift = drifts[feature.Name];
            models.Append(manifest.Name);
            versions.Append(manifest.Version);
            features.Append(feature.Name);
            rows.Append(drift.Count);
            indices.Append(drift.StabilityIndex);
            means.Append(drift.Mean);
            trained.Append(feature.Training?.Mean);
        }

        return new RecordBatch(Schema, [models.Build(), versions.Build(), features.Build(), indices.Build(),
            rows.Build(), means.Build(), trained.Build()], drifts.Count);
    }
}
