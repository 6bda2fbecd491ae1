using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML;
using Millrace.Models.Registry;
using Millrace.Models.Scoring;

namespace Millrace.Models.Training;

/// <summary>
/// Rows to a model: randomised PCA for anomalies, boosted trees for the remaining life. What is held out is measured
/// on, and not learned from.
/// </summary>
public static class ModelTrainer
{
    private const int RowsMin = 50;
    private const int RankMax = 8;

    /// <summary>MO-0008 when there is too little to learn from.</summary>
    public static TrainedModel Train(TrainingData data, TrainingPlan plan)
    {
        var isHeldOut = data.Groups.Select(group => IsHeldOut(group, plan)).ToArray();
        var (learned, held) = (RowsOf(data, isHeldOut, false), RowsOf(data, isHeldOut, true));
        if (learned.Count < RowsMin || held.Count == 0)
        {
            throw ModelErrors.TrainingImpossible.With($"{data.Rows} rows",
                $"{learned.Count} to learn from (at least {RowsMin}) and {held.Count} held out (at least 1).")
                .AsException();
        }

        var ml = new MLContext(plan.Seed);
        var schema = FeatureRow.Schema(data.Names.Count);
        var view = ml.Data.LoadFromEnumerable(learned, schema);
        var model = Estimator(ml, plan, data.Names.Count).Fit(view);
        var content = new MemoryStream();
        ml.Model.Save(model, view.Schema, content);
        var scores = ml.Data.CreateEnumerable<ScoreRow>(
            model.Transform(ml.Data.LoadFromEnumerable(held, schema)), reuseRowObject: false);
        var metrics = Metrics(plan.Kind, held, [.. scores.Select(row => (double)row.Score)]);
        metrics["rows_learned"] = learned.Count;
        metrics["rows_held_out"] = held.Count;
        return new TrainedModel(content.ToArray(), [.. data.Names.Select((name, i) => new ModelFeature(
            name, Training: FeatureDistribution.Of([.. learned.Select(row => row.Features[i])])))], metrics);
    }

    private static IEstimator<ITransformer> Estimator(MLContext ml, TrainingPlan plan, int features)
    {
        if (plan.Kind == ModelKind.RemainingLife) return ml.Regression.Trainers.FastTree();
        if (features < 2)
            throw ModelErrors.TrainingImpossible.With(features, "Anomalies need two features or more.").AsException();
        // The score is the part of a row's length that the components do not explain. Moved to their mean, usual rows
        // would have no length to speak of, and scores of nothing but noise.
        return ml.Transforms.NormalizeMeanVariance(nameof(FeatureRow.Features), fixZero: true)
            .Append(ml.AnomalyDetection.Trainers.RandomizedPca(
                rank: Math.Min(RankMax, Math.Max(1, features / 2)), ensureZeroMean: false, seed: plan.Seed));
    }

    private static Dictionary<string, double> Metrics(ModelKind kind, List<FeatureRow> rows, double[] scores)
    {
        if (kind != ModelKind.RemainingLife)
        {
            var sorted = scores.Order().ToArray();
            return new Dictionary<string, double>
            {
                ["score_p50"] = sorted[sorted.Length / 2],
                ["score_p99"] = sorted[(int)((sorted.Length - 1) * 0.99)],
                ["score_max"] = sorted[^1],
            };
        }

        var errors = rows.Zip(scores, (row, score) => score - row.Label).ToArray();
        var mean = rows.Average(row => (double)row.Label);
        var spread = rows.Sum(row => (row.Label - mean) * (row.Label - mean));
        var squares = errors.Sum(error => error * error);
        return new Dictionary<string, double>
        {
            ["mean_absolute_error"] = errors.Average(Math.Abs),
            ["root_mean_squared_error"] = Math.Sqrt(squares / errors.Length),
            ["r_squared"] = spread == 0 ? 0 : 1 - (squares / spread),
        };
    }

    private static List<FeatureRow> RowsOf(TrainingData data, bool[] isHeldOut, bool heldOut)
    {
        var rows = new List<FeatureRow>();
        for (var i = 0; i < data.Rows; i++)
        {
            if (isHeldOut[i] != heldOut) continue;
            rows.Add(new FeatureRow
            {
                Features = [.. data.Features.Select(column => column[i])],
                Label = data.Labels.Length == 0 ? 0 : data.Labels[i],
            });
        }

        // What is learned does not depend on the order in which an engine gives the rows.
        rows.Sort(Compare);
        return rows;
    }

    private static int Compare(FeatureRow one, FeatureRow other)
    {
        var byFeatures = one.Features.AsSpan().SequenceCompareTo(other.Features);
        return byFeatures != 0 ? byFeatures : one.Label.CompareTo(other.Label);
    }

    /// <summary>By the group's name alone, so that it does not depend on the order of the rows.</summary>
    private static bool IsHeldOut(string group, TrainingPlan plan) =>
        BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{plan.Seed}/{group}")))
            < plan.HoldOut * uint.MaxValue;
}
