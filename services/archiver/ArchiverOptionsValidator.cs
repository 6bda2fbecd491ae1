using Microsoft.Extensions.Options;
using Millrace.Archiver.Upkeep;
using Millrace.Delta;

namespace Millrace.Archiver;

/// <summary>What data annotations cannot say: each error names its key and the remedy.</summary>
internal sealed class ArchiverOptionsValidator : IValidateOptions<ArchiverOptions>
{
    private const int NameLengthMax = 128;

    public ValidateOptionsResult Validate(string? name, ArchiverOptions options)
    {
        var errors = new List<string>();
        RequirePositive(options.RollSize.Bytes, nameof(options.RollSize), errors);
        RequirePositive(options.OutputRollSize.Bytes, nameof(options.OutputRollSize), errors);
        RequirePositive(options.RowGroupSize.Bytes, nameof(options.RowGroupSize), errors);
        RequirePositive(options.ReadSize.Bytes, nameof(options.ReadSize), errors);
        RequirePositive(options.RecordSizeMax.Bytes, nameof(options.RecordSizeMax), errors);
        if (options.RollSize.Bytes > int.MaxValue || options.ReadSize.Bytes > int.MaxValue)
            errors.Add("Archiver:RollSize and Archiver:ReadSize: choose less than 2GiB.");
        errors.AddRange(Upkeep(options.Upkeep));
        var names = TelemetryTable.BaseSchema.Columns.Select(column => column.Name).Append("body_text")
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < options.PromotedColumns.Count; i++)
        {
            var column = options.PromotedColumns[i];
            var key = $"Archiver:PromotedColumns:{i}";
            if (!IsName(column.Name))
                errors.Add($"{key}:Name '{column.Name}': use a letter, then letters, digits and underscores.");
            else if (!names.Add(column.Name))
                errors.Add($"{key}:Name '{column.Name}' is taken: choose another.");
            if (!Rows.FieldPath.TryParse(column.Path, out _))
                errors.Add($"{key}:Path '{column.Path}': write field names separated by dots, such as status.battery.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static IEnumerable<string> Upkeep(ArchiveUpkeepOptions options)
    {
        const string Section = "Archiver:Upkeep";
        if (options.UpkeepInterval != TimeSpan.Zero && options.UpkeepInterval < TimeSpan.FromMilliseconds(100))
            yield return $"{Section}:{nameof(options.UpkeepInterval)} is {options.UpkeepInterval}; choose 0 or 100ms "
                + "and more.";
        if (options.CompactionFileSize.Bytes is < 1 << 20 or > 1 << 30)
            yield return $"{Section}:{nameof(options.CompactionFileSize)} is {options.CompactionFileSize}; choose from "
                + "1MiB to 1GiB.";
        if (options.CompactionAfter < TimeSpan.Zero)
            yield return $"{Section}:{nameof(options.CompactionAfter)} is {options.CompactionAfter}; choose 0 or more.";
        foreach (var (key, age) in new[]
        {
            (nameof(options.ArchiveRetention), options.ArchiveRetention),
            (nameof(options.OutputRetention), options.OutputRetention),
        })
        {
            if (age != TimeSpan.Zero && age < TimeSpan.FromHours(1))
                yield return $"{Section}:{key} is {age}; choose 0, which keeps all, or 1h and more.";
        }

        if (options.VacuumInterval < TimeSpan.Zero)
            yield return $"{Section}:{nameof(options.VacuumInterval)} is {options.VacuumInterval}; choose 0 or more.";
    }

    private static void RequirePositive(long value, string key, List<string> errors)
    {
        if (value <= 0) errors.Add($"Archiver:{key}: choose a size above 0.");
    }

    private static bool IsName(string name) =>
        name.Length is > 0 and <= NameLengthMax && char.IsAsciiLetter(name[0])
        && name.All(character => char.IsAsciiLetterOrDigit(character) || character == '_');
}
