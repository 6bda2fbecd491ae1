using System.Text.Json;
using Microsoft.Extensions.Options;
using Millrace.Batch;
using Millrace.ColdPath;
using Millrace.ColdPath.Catalog;

namespace Millrace.Contract.Tests.Batch;

/// <summary>The jobs that every platform has, over the day of the dirty archive.</summary>
internal static class BuiltInJobs
{
    public static JobCatalog Catalog { get; } = Open();

    public static ValueTask<BatchQuery> PrepareAsync(string job, IBatchEngine engine)
    {
        var parameters = new Dictionary<string, object>
        {
            ["from"] = DirtyArchive.Day,
            ["to"] = DirtyArchive.Day.AddDays(1),
        };
        if (job == "data-quality") (parameters["low"], parameters["high"]) = (-50, 200);
        return new ColdJobs(Catalog, engine, TimeProvider.System).PrepareAsync(job,
            parameters.ToDictionary(pair => pair.Key, pair => JsonSerializer.SerializeToElement(pair.Value)), default);
    }

    private static JobCatalog Open() => new(Options.Create(new ColdPathOptions()));
}
