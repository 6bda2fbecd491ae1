using Millrace.Contracts;
using Millrace.Saql.Json;
using Millrace.Saql.Values;

namespace Millrace.Saql.Decoding;

/// <summary>One query's way to bodies that are decoded for several. For one caller at a time.</summary>
internal sealed class SharedReader : IDisposable
{
    private readonly SharedBodies _bodies;
    private readonly FieldNode _fields;
    private RecordBatch _batch;
    private DecodedRows? _rows;
    private FieldUnion? _union;
    private (int Own, int Shared)[] _places = [];
    private bool _isOwn;
    private bool _isAlone;
    private bool _hasLeft;

    public SharedReader(SharedBodies bodies, FieldNode fields)
    {
        (_bodies, _fields) = (bodies, fields);
        bodies.Join(fields);
    }

    /// <summary>Rows that another reader had decoded.</summary>
    public long RowsFound { get; private set; }

    public void Begin(RecordBatch batch) => (_batch, _isAlone) = (batch, false);

    /// <summary>The fields of a record of the batch; false when they are to be decoded alone.</summary>
    public bool TryRead(in RecordView record, Value[] slots)
    {
        if (_rows is null || !_rows.Has(record.Offset))
        {
            if (_isAlone || !Move(record.Offset)) return false;
        }

        if (!_rows!.TryCopy(record, _places, slots)) return false;
        if (!_isOwn) RowsFound++;
        return true;
    }

    /// <summary>What was read is not looked at any more.</summary>
    public void End()
    {
        _batch = default;
        LetGo();
    }

    /// <summary>A batch that is being read goes on with what it has.</summary>
    public void Dispose()
    {
        if (_hasLeft) return;
        _hasLeft = true;
        _bodies.Leave(_fields);
    }

    private bool Move(long offset)
    {
        LetGo();
        _rows = _bodies.Take(_fields, _batch, offset, out _isOwn);
        _isAlone = _rows is null;
        if (_isAlone) return false;
        if (_union != _rows!.Union) (_union, _places) = (_rows.Union, _rows.Union.PlacesOf(_fields));
        return true;
    }

    private void LetGo()
    {
        if (_rows is null) return;
        _bodies.Return(_rows);
        _rows = null;
    }
}
