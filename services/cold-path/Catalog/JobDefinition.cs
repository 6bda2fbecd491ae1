using System.Text.Json.Serialization;

namespace Millrace.ColdPath.Catalog;

/// <summary>The types that a job's parameters have.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<JobParameterType>))]
public enum JobParameterType
{
    [JsonStringEnumMemberName("string")] String,
    [JsonStringEnumMemberName("long")] Long,
    [JsonStringEnumMemberName("double")] Double,
    [JsonStringEnumMemberName("bool")] Bool,

    /// <summary>ISO 8601 text, <c>now</c>, or <c>now-7d</c>.</summary>
    [JsonStringEnumMemberName("timestamp")] Timestamp,

    /// <summary>
    /// Names of columns of <c>telemetry</c>, separated by commas, put in the place of <c>{{name}}</c> in the statement;
    /// <c>*</c> is all promoted columns that are numbers.
    /// </summary>
    [JsonStringEnumMemberName("columns")] Columns,
}

/// <param name="Default">What is taken when none is given, as text; without it the parameter is required.</param>
public sealed record JobParameter(string Name, JobParameterType Type, string Description, string? Default = null)
{
    [JsonIgnore]
    public bool Required => Default is null;
}

/// <summary>What a job's <c>job.json</c> says.</summary>
public sealed record JobManifest(string Description, IReadOnlyList<JobParameter>? Parameters = null);

/// <summary>A job as read from its folder, whose name is the job's.</summary>
public sealed record JobDefinition(
    string Name, string Description, IReadOnlyList<JobParameter> Parameters, string Sql)
{
    public JobParameter? Find(string parameter) => Parameters.FirstOrDefault(known => known.Name == parameter);
}
