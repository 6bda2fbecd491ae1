using System.Globalization;
using System.Text.Json;
using Millrace.Batch;
using Millrace.Batch.Frames;
using Millrace.Primitives;

namespace Millrace.ColdPath.Catalog;

/// <summary>
/// Makes a job's statement of its values: columns are put into the text, the rest are parameters of the engine; a class
/// gets both.
/// </summary>
internal static class JobStatement
{
    private const string Now = "now";
    private const string AllColumns = "*";

    /// <summary>How the parameter is written in the statement.</summary>
    public static string PlaceOf(JobParameter parameter) =>
        parameter.Type == JobParameterType.Columns ? $"{{{{{parameter.Name}}}}}" : $"${parameter.Name}";

    /// <summary>
    /// Checks every value, and fills in defaults. Errors CP-0002 to CP-0005.
    /// </summary>
    /// <param name="columns">The view's columns.</param>
    public static BatchQuery Of(
        JobDefinition job, IReadOnlyDictionary<string, JsonElement> given, IReadOnlyList<ViewColumn> columns,
        DateTimeOffset now)
    {
        foreach (var name in given.Keys)
        {
            if (job.Find(name) is null)
                throw ColdPathErrors.ParameterUnknown.With(name, $"The job is {job.Name}.").AsException();
        }

        var sql = job.Sql;
        var values = new Dictionary<string, object?>();
        var lists = new Dictionary<string, IReadOnlyList<string>>();
        foreach (var parameter in job.Parameters)
        {
            var text = given.TryGetValue(parameter.Name, out var value) && value.ValueKind != JsonValueKind.Null
                ? TextOf(parameter, value)
                : parameter.Default ?? throw ColdPathErrors.ParameterMissing.With(parameter.Name).AsException();
            if (parameter.Type != JobParameterType.Columns) values[parameter.Name] = ValueOf(parameter, text, now);
            else
            {
                var names = lists[parameter.Name] = ColumnNames(parameter, text, columns, job.Frame is not null);
                sql = sql?.Replace(PlaceOf(parameter), string.Join(", ", names.Select(name => $"\"{name}\"")),
                    StringComparison.Ordinal);
            }
        }

        return sql is not null ? new BatchQuery(sql, values) : Built(job, new FrameJobInput(values, lists)).ToQuery();
    }

    private static DataFrame Built(JobDefinition job, FrameJobInput input)
    {
        try
        {
            return job.Frame!.Build(input)
                ?? throw ColdPathErrors.ClassFailed.With(job.Name, "It gave nothing.").AsException();
        }
        catch (Exception e) when (e is not MillraceException)
        {
            // Anything at all: the class may be the user's.
            throw ColdPathErrors.ClassFailed.With(job.Name, $"{e.GetType().Name}: {e.Message}").AsException(e);
        }
    }

    private static string TextOf(JobParameter parameter, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => throw Invalid(parameter, value.GetRawText()),
    };

    private static object ValueOf(JobParameter parameter, string text, DateTimeOffset now)
    {
        var invariant = CultureInfo.InvariantCulture;
        switch (parameter.Type)
        {
            case JobParameterType.String: return text;
            case JobParameterType.Long
                when long.TryParse(text, NumberStyles.AllowLeadingSign, invariant, out var whole):
                return whole;
            case JobParameterType.Double when double.TryParse(text, NumberStyles.Float, invariant, out var number):
                return number;
            case JobParameterType.Bool when bool.TryParse(text, out var flag): return flag;
            case JobParameterType.Timestamp when TryTime(text, now, out var time): return time;
            default: throw Invalid(parameter, text);
        }
    }

    private static bool TryTime(string text, DateTimeOffset now, out DateTimeOffset time)
    {
        time = now;
        if (text == Now) return true;
        if (text.StartsWith(Now + "-", StringComparison.Ordinal)
            && DurationText.TryParse(text[(Now.Length + 1)..], out var ago))
        {
            time = ago > now - DateTimeOffset.MinValue ? DateTimeOffset.MinValue : now - ago;
            return true;
        }

        const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, utc, out time);
    }

    /// <summary>Only names that the view has ever become part of a statement.</summary>
    private static IReadOnlyList<string> ColumnNames(
        JobParameter parameter, string text, IReadOnlyList<ViewColumn> columns, bool mayBeNone)
    {
        var names = text == AllColumns
            ? [.. columns.Where(column => column is { IsPromoted: true, IsNumber: true }).Select(column => column.Name)]
            : text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (names.Length == 0 && !mayBeNone)
            throw ColdPathErrors.ColumnUnknown.With(parameter.Name, "No number is promoted to a column.").AsException();
        foreach (var name in names)
        {
            if (!columns.Any(column => column.Name == name))
                throw ColdPathErrors.ColumnUnknown.With(name).AsException();
        }

        return names;
    }

    private static MillraceException Invalid(JobParameter parameter, string value) =>
        ColdPathErrors.ParameterInvalid.With(value, $"{parameter.Name} is a {TypeName(parameter.Type)}.").AsException();

    public static string TypeName(JobParameterType type) => type.ToString().ToLowerInvariant();
}

/// <summary>A column of the view <c>telemetry</c>.</summary>
/// <param name="IsPromoted">Whether it comes from a body by configuration.</param>
internal sealed record ViewColumn(string Name, bool IsPromoted, bool IsNumber);
