using Microsoft.Extensions.Logging;
using Millrace.Saql;

namespace Millrace.StreamProcessor.References;

/// <summary>The reference data that one engine has, and the newer that it is to take.</summary>
/// <param name="query">Whose engine it is.</param>
internal sealed class TakenReferences(
    ReferenceData data, QueryEngine engine, IReadOnlyCollection<string> names, string query, ILogger log)
{
    private readonly Dictionary<string, IReadOnlyList<byte[]>> _taken = [];

    /// <summary>Gives the engine, which has none, all of them; waits until they were read.</summary>
    public async Task TakeFirstAsync(CancellationToken ct)
    {
        foreach (var name in names) Take(name, await data.Find(name).FirstAsync(ct));
    }

    /// <summary>Gives the engine what is another than it has; true when something is.</summary>
    public bool TakeNew()
    {
        var isChanged = false;
        foreach (var name in names) isChanged |= data.Find(name).Current is { } current && Take(name, current);
        return isChanged;
    }

    private bool Take(string name, IReadOnlyList<byte[]> entries)
    {
        if (ReferenceEquals(_taken.GetValueOrDefault(name), entries)) return false;
        _taken[name] = entries;
        if (engine.SetReference(name, entries) is { First: { } why } leftOut)
        {
            log.EntriesLeftOut(query, leftOut.Count, name, why);
            StreamProcessorMetrics.EntriesLeftOut.Add(
                leftOut.Count, StreamProcessorMetrics.Query(query), StreamProcessorMetrics.Reference(name));
        }

        return true;
    }
}
