using System.Text.Json;
using System.Text.Json.Serialization;
using Millrace.ColdPath.Scheduling;
using Millrace.Primitives;

namespace Millrace.ColdPath.Catalog;

/// <summary>Reads jobs from folders. What is wrong with one is an error CP-0007 that names the file.</summary>
internal static class JobFolder
{
    private const string SqlFile = "job.sql";
    private const string ManifestFile = "job.json";

    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <summary>
    /// The jobs below the folder, in the order of their names. Hidden folders are none: a Kubernetes volume has some.
    /// </summary>
    public static IReadOnlyList<JobDefinition> ReadAll(string folder)
    {
        if (!Directory.Exists(folder)) throw Invalid(folder, "There is no such folder.");
        return [.. Directory.GetDirectories(folder).Where(job => !Path.GetFileName(job).StartsWith('.'))
            .Order(StringComparer.Ordinal).Select(Read)];
    }

    private static JobDefinition Read(string folder)
    {
        var name = Path.GetFileName(folder);
        if (!IsName(name)) throw Invalid(folder, "A job's name has lower-case letters, digits and hyphens.");
        var sqlFile = Path.Combine(folder, SqlFile);
        var manifestFile = Path.Combine(folder, ManifestFile);
        var manifest = ReadManifest(manifestFile);
        var frame = manifest.Class is { } type
            ? JobClasses.TryMake(type, folder, out var wrong) ?? throw Invalid(manifestFile, wrong)
            : null;
        var sql = frame is null ? Text(sqlFile) : null;
        var parameters = manifest.Parameters ?? [];
        foreach (var parameter in parameters) Check(parameter, sql, manifestFile);
        if (parameters.GroupBy(parameter => parameter.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw Invalid(manifestFile, $"Parameter {twice.Key} is there twice.");
        CheckParts(manifest, parameters, manifestFile);
        CheckModel(manifest, manifestFile);
        return new JobDefinition(
            name, manifest.Description, parameters, sql, frame, manifest.Part, manifest.Schedule, manifest.Model);
    }

    private static JobManifest ReadManifest(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<JobManifest>(Text(file), Strict)
                ?? throw Invalid(file, "It is null.");
        }
        catch (JsonException e)
        {
            throw Invalid(file, e.Message);
        }
    }

    private static void CheckParts(JobManifest manifest, IReadOnlyList<JobParameter> parameters, string file)
    {
        var times = parameters.Where(parameter => parameter.Type == JobParameterType.Timestamp)
            .Select(parameter => parameter.Name).ToList();
        if (manifest.Part is not null
            && !(times.Contains(JobDefinition.FromParameter) && times.Contains(JobDefinition.ToParameter)))
            throw Invalid(file, "A job with parts has the parameters from and to, of type timestamp.");
        if (manifest.Schedule is not { } schedule) return;
        if (manifest.Part is null) throw Invalid(file, "A job with a schedule says by which part it keeps results.");
        if (!CronSchedule.TryParse(schedule.Cron, out _, out var wrong))
            throw Invalid(file, $"The schedule '{schedule.Cron}': {wrong}.");
        if (!DurationText.TryParse(schedule.LookBack, out var lookBack) || lookBack <= TimeSpan.Zero)
            throw Invalid(file, $"lookBack '{schedule.LookBack}' is no duration, such as 2d.");
    }

    private static void CheckModel(JobManifest manifest, string file)
    {
        if (manifest.Model is not { } model) return;
        if (manifest.Part is null) throw Invalid(file, "A job with a model says by which part it runs.");
        if (model.Wrong is { } wrong) throw Invalid(file, $"model: {wrong}");
    }

    private static void Check(JobParameter parameter, string? sql, string file)
    {
        if (parameter.Name.Length == 0 || !parameter.Name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
            throw Invalid(file, $"Parameter '{parameter.Name}': use letters, digits and underscores.");
        var place = JobStatement.PlaceOf(parameter);
        if (sql?.Contains(place, StringComparison.Ordinal) == false)
            throw Invalid(file, $"Parameter {parameter.Name}: the statement has no {place}.");
    }

    private static string Text(string file) =>
        File.Exists(file) ? File.ReadAllText(file) : throw Invalid(file, "There is no such file.");

    private static bool IsName(string name) =>
        name.Length > 0 && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    private static MillraceException Invalid(string file, string detail) =>
        ColdPathErrors.JobFolderInvalid.With(file, detail).AsException();
}
