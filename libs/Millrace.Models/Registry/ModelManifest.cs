using System.Text.Json.Serialization;
using Millrace.Models.Training;

namespace Millrace.Models.Registry;

/// <summary>What a model tells.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ModelKind>))]
public enum ModelKind
{
    /// <summary>How unusual a row is: from 0 (as usual) to 1.</summary>
    [JsonStringEnumMemberName("anomaly")] Anomaly,

    /// <summary>How long something will last, in the unit of the label that it learned from.</summary>
    [JsonStringEnumMemberName("remaining-life")] RemainingLife,

    /// <summary>Whatever its maker says.</summary>
    [JsonStringEnumMemberName("score")] Score,
}

[JsonConverter(typeof(JsonStringEnumConverter<ModelFormat>))]
public enum ModelFormat
{
    [JsonStringEnumMemberName("ml.net")] MlNet,
    [JsonStringEnumMemberName("onnx")] Onnx,
}

/// <param name="Type">Always <c>float</c>.</param>
/// <param name="Training">How it was distributed in the training data, where that is known.</param>
public sealed record ModelFeature(string Name, string Type = ModelFeature.Float, FeatureDistribution? Training = null)
{
    public const string Float = "float";
}

/// <param name="Key">Where it lies in the object store.</param>
public sealed record ModelContent(string Key, long Bytes, string Sha256);

/// <summary>A version to be registered.</summary>
/// <param name="By">Who registers it.</param>
/// <param name="Source">What made it: a job and its part, or a file.</param>
/// <param name="Output">Which output of an ONNX model is the score; null: the first.</param>
public sealed record ModelDraft(
    string Name, ModelKind Kind, ModelFormat Format, IReadOnlyList<ModelFeature> Features,
    IReadOnlyDictionary<string, double> Metrics, string By, string Source, string? Output = null);

/// <summary>One version of a model. It never changes.</summary>
public sealed record ModelManifest(
    string Name, int Version, ModelKind Kind, ModelFormat Format, IReadOnlyList<ModelFeature> Features,
    IReadOnlyDictionary<string, double> Metrics, string By, string Source, string? Output, DateTimeOffset CreatedAt,
    ModelContent Content);

/// <summary>From here on the model's version is this one.</summary>
/// <param name="Number">The first promotion of a model is 1.</param>
/// <param name="IsRollback">It took the promotion before back.</param>
public sealed record ModelPromotion(
    int Number, int Version, DateTimeOffset At, string By, bool IsRollback = false);

/// <summary>A model at a glance.</summary>
/// <param name="Promoted">The version that queries use; null when none was promoted.</param>
public sealed record ModelSummary(string Name, int Versions, int? Promoted, ModelManifest Newest);
