using Microsoft.Extensions.Options;

namespace Millrace.ColdPath.Catalog;

/// <summary>
/// The jobs that there are: the built-in ones and those of the user's folder. Read once, when it is made.
/// </summary>
internal sealed class JobCatalog
{
    private const string BuiltInFolder = "cold-jobs";

    private readonly SortedDictionary<string, JobDefinition> _jobs = new(StringComparer.Ordinal);

    public JobCatalog(IOptions<ColdPathOptions> options)
    {
        Add(Path.Combine(AppContext.BaseDirectory, BuiltInFolder));
        if (options.Value.JobsFolder is { } folder) Add(folder);
    }

    public IReadOnlyCollection<JobDefinition> Jobs => _jobs.Values;

    /// <summary>The job, or an error CP-0001.</summary>
    public JobDefinition Get(string name) =>
        _jobs.TryGetValue(name, out var job) ? job : throw ColdPathErrors.JobUnknown.With(name).AsException();

    private void Add(string folder)
    {
        foreach (var job in JobFolder.ReadAll(folder)) _jobs[job.Name] = job;
    }
}
