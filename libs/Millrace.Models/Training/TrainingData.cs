using Millrace.Models.Registry;

namespace Millrace.Models.Training;

/// <summary>Rows to learn from, by columns. None has a gap.</summary>
/// <param name="Features">The values of each feature.</param>
/// <param name="Labels">What is to be told; empty where nothing is.</param>
/// <param name="Groups">Rows of one group are all learned from, or all held out.</param>
public sealed record TrainingData(
    IReadOnlyList<string> Names, IReadOnlyList<float[]> Features, float[] Labels, string[] Groups)
{
    public int Rows => Groups.Length;
}

/// <param name="HoldOut">The share of the groups that the metrics are measured on.</param>
/// <param name="Seed">The same rows and seed give the same model.</param>
public sealed record TrainingPlan(ModelKind Kind, double HoldOut, int Seed);

/// <summary>A model that was trained.</summary>
public sealed record TrainedModel(
    byte[] Content, IReadOnlyList<ModelFeature> Features, IReadOnlyDictionary<string, double> Metrics);
