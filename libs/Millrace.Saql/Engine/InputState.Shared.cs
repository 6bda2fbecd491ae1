using Millrace.Contracts;
using Millrace.Saql.Decoding;

namespace Millrace.Saql.Engine;

/// <summary>Bodies that are decoded together with other queries'.</summary>
internal sealed partial class InputState
{
    private readonly Dictionary<int, SharedReader> _sharedBySource = [];

    /// <summary>Of the batch that is read now.</summary>
    private SharedReader? _shared;

    public override SharedReader? Share(SourceState source, SharedBodies bodies)
    {
        var reader = new SharedReader(bodies, _fields);
        _sharedBySource[source.Rank] = reader;
        return reader;
    }

    public override void Begin(SourceState source, RecordBatch batch)
    {
        if (_sharedBySource.Count == 0 || !_sharedBySource.TryGetValue(source.Rank, out _shared)) return;
        _shared.Begin(batch);
    }

    public override void End()
    {
        _shared?.End();
        _shared = null;
    }
}
