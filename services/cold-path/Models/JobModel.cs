using System.Text.Json.Serialization;
using Millrace.Models.Registry;
using Millrace.Primitives;

namespace Millrace.ColdPath.Models;

/// <summary>What a job does with a model.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ModelStep>))]
public enum ModelStep
{
    /// <summary>Learns from the rows, and keeps the model as a new version.</summary>
    [JsonStringEnumMemberName("train")] Train,

    /// <summary>Scores the rows with the promoted version; the job's results are the rows with their scores.</summary>
    [JsonStringEnumMemberName("score")] Score,

    /// <summary>Compares the rows with the training data of the promoted version.</summary>
    [JsonStringEnumMemberName("drift")] Drift,
}

/// <summary>The part <c>model</c> of <c>job.json</c>.</summary>
/// <param name="Kind">Of a training: <c>anomaly</c> or <c>remaining-life</c>.</param>
/// <param name="Label">Of a training for the remaining life: the column that is to be told.</param>
/// <param name="Group">Of a training: rows with the same text here are all learned from, or all held out.</param>
/// <param name="HoldOut">Of a training: the share of the groups that the metrics are measured on.</param>
/// <param name="Over">How much of the time before a part is read with it: <c>30d</c>; else the part alone.</param>
public sealed record JobModel(
    ModelStep Does, string Name, ModelKind? Kind = null, string? Label = null, string Group = "device_id",
    double HoldOut = 0.25, string? Over = null, int Seed = 1)
{
    /// <summary>How much of the time before the part is read too.</summary>
    [JsonIgnore]
    public TimeSpan Before => Over is not null && DurationText.TryParse(Over, out var over) ? over : TimeSpan.Zero;

    /// <summary>What is wrong with it, or null.</summary>
    [JsonIgnore]
    public string? Wrong => this switch
    {
        { Over: { } over } when !DurationText.TryParse(over, out _) => $"over '{over}' is no duration, such as 30d.",
        { Does: not ModelStep.Train } => null,
        { Kind: null or ModelKind.Score } => "kind is anomaly or remaining-life.",
        { Kind: ModelKind.RemainingLife, Label: null } => "label names the column that is to be told.",
        { HoldOut: not (> 0 and < 1) } => "holdOut is a share between 0 and 1.",
        _ => null,
    };
}
