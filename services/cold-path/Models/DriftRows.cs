using Apache.Arrow;
using Apache.Arrow.Types;
using Millrace.Models.Registry;

namespace Millrace.ColdPath.Models;

/// <param name="Index">The population stability index; null where no value, or no training value, is known.</param>
internal sealed record FeatureDrift(
    string Feature, double? Index, long Rows, double? Mean, double? TrainingMean);

/// <summary>The results of a job that looks at drift: a row a feature.</summary>
internal static class DriftRows
{
    public static Schema Schema { get; } = new([
        new Field("model", StringType.Default, false), new Field("model_version", Int64Type.Default, false),
        new Field("feature", StringType.Default, false), new Field("stability_index", DoubleType.Default, true),
        new Field("rows", Int64Type.Default, false), new Field("mean", DoubleType.Default, true),
        new Field("training_mean", DoubleType.Default, true),
    ], null);

    public static IReadOnlyList<FeatureDrift> Of(ModelManifest manifest, Dictionary<string, List<float>> found) =>
    [
        .. manifest.Features.Select(feature =>
        {
            var values = found[feature.Name].ToArray();
            return new FeatureDrift(feature.Name,
                values.Length == 0 ? null : feature.Training?.StabilityIndex(values), values.Length,
                values.Length == 0 ? null : values.Average(value => (double)value), feature.Training?.Mean);
        }),
    ];

    public static RecordBatch Batch(ModelManifest manifest, IReadOnlyList<FeatureDrift> drifts)
    {
        var (models, versions) = (new StringArray.Builder(), new Int64Array.Builder());
        var (features, rows) = (new StringArray.Builder(), new Int64Array.Builder());
        var (indices, means, trained) = (new DoubleArray.Builder(), new DoubleArray.Builder(),
            new DoubleArray.Builder());
        foreach (var drift in drifts)
        {
            models.Append(manifest.Name);
            versions.Append(manifest.Version);
            features.Append(drift.Feature);
            rows.Append(drift.Rows);
            indices.Append(drift.Index);
            means.Append(drift.Mean);
            trained.Append(drift.TrainingMean);
        }

        return new RecordBatch(Schema, [models.Build(), versions.Build(), features.Build(), indices.Build(),
            rows.Build(), means.Build(), trained.Build()], drifts.Count);
    }
}
