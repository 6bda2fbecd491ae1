using System.Text.Json.Serialization;
using Millrace.ColdPath.Models;

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

/// <summary>The parts of the time that a job's results are kept by; a run makes one of them anew.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<JobPart>))]
public enum JobPart
{
    [JsonStringEnumMemberName("day")] Day,
    [JsonStringEnumMemberName("hour")] Hour,
}

/// <summary>When a job runs by itself.</summary>
/// <param name="Cron">Minute, hour, day of the month, month and day of the week, in UTC.</param>
/// <param name="LookBack">
/// The parts that ended so long before are made anew, so that what came late is in them: <c>2d</c>.
/// </param>
public sealed record JobSchedule(string Cron, string LookBack);

/// <summary>What a job's <c>job.json</c> says.</summary>
/// <param name="Class">The job's name in the program, where there is no <c>job.sql</c>.</param>
/// <param name="Part">With parameters <c>from</c> and <c>to</c>: its results can be kept, by these parts.</param>
/// <param name="Model">What is done with the statement's rows, where it has to do with a model.</param>
public sealed record JobManifest(
    string Description, IReadOnlyList<JobParameter>? Parameters = null, string? Class = null, JobPart? Part = null,
    JobSchedule? Schedule = null, JobModel? Model = null);

/// <summary>A job as read from its folder, whose name is the job's.</summary>
/// <param name="Sql">Its statement; null for one that is a class.</param>
/// <param name="Frame">The class; null for one that is a statement.</param>
public sealed record JobDefinition(
    string Name, string Description, IReadOnlyList<JobParameter> Parameters, string? Sql, IFrameJob? Frame = null,
    JobPart? Part = null, JobSchedule? Schedule = null, JobModel? Model = null)
{
    /// <summary>The parameters that say which part of the time a run is about.</summary>
    public const string FromParameter = "from";

    public const string ToParameter = "to";

    public JobParameter? Find(string parameter) => Parameters.FirstOrDefault(known => known.Name == parameter);
}
