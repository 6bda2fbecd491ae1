using Millrace.Saql.Engine;

namespace Millrace.Saql.Models;

/// <summary>Which version of each model of a plan counts. Plans without models keep nothing.</summary>
internal sealed class ModelPins(IReadOnlyList<string> names, Frame frame)
{
    private readonly int[] _versions = new int[names.Count];

    public IReadOnlyDictionary<string, int> Versions =>
        names.Index().ToDictionary(model => model.Item, model => _versions[model.Index]);

    public void Set(string name, IModelScorer scorer)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (names[i] != name) continue;
            frame.Scorers[i] = scorer;
            _versions[i] = scorer.Version;
        }
    }

    public void Save(StateWriter writer)
    {
        foreach (var version in _versions) writer.Write(version);
    }

    public void Restore(ref StateReader reader)
    {
        for (var i = 0; i < _versions.Length; i++)
        {
            _versions[i] = reader.ReadInt32();
            frame.Scorers[i] = null;
        }
    }
}
