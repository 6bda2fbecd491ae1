using Millrace.Saql.Models;

namespace Millrace.Saql;

/// <summary>What comes from outside of the inputs: reference data and versions of models.</summary>
public sealed partial class QueryEngine
{
    /// <summary>
    /// Reference data as it is from now on. It is part of the state: who saves it before the next record, answers the
    /// same again.
    /// </summary>
    /// <param name="entries">Its entries, each a JSON object in UTF-8.</param>
    public EntriesLeftOut SetReference(string name, IReadOnlyList<byte[]> entries)
    {
        var leftOut = default(EntriesLeftOut);
        foreach (var reference in _references)
        {
            if (reference.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) leftOut += reference.Load(entries);
        }

        return leftOut;
    }

    /// <summary>The version of each model that counts, by name; 0 where none was given yet.</summary>
    public IReadOnlyDictionary<string, int> ModelVersions => _models.Versions;

    /// <summary>
    /// The version of a model that counts from now on. It is part of the state, as reference data is; after
    /// <see cref="Restore"/> those of <see cref="ModelVersions"/> are to be given before anything else.
    /// </summary>
    public void SetModel(string name, IModelScorer scorer) => _models.Set(name, scorer);
}
