using Millrace.Delta.Log;
using ParquetSharp;

namespace Millrace.Delta.Checkpoints;

/// <summary>Gathers actions as the columns of <see cref="CheckpointSchema"/>, a row for each.</summary>
internal sealed class CheckpointRows
{
    private readonly PinnedTexts _texts = new();

    private readonly CheckpointLeaf<ByteArray> _appId = new(2);
    private readonly CheckpointLeaf<long> _version = new(2), _lastUpdated = new(2);
    private readonly CheckpointLeaf<ByteArray> _addPath = new(2), _partitionName = new(3), _partitionValue = new(4);
    private readonly CheckpointLeaf<long> _size = new(2), _modified = new(2);
    private readonly CheckpointLeaf<bool> _addChange = new(2);
    private readonly CheckpointLeaf<ByteArray> _stats = new(2);
    private readonly CheckpointLeaf<ByteArray> _removePath = new(2);
    private readonly CheckpointLeaf<long> _deletedAt = new(2);
    private readonly CheckpointLeaf<bool> _removeChange = new(2);
    private readonly CheckpointLeaf<ByteArray> _tableId = new(2), _provider = new(3), _optionName = new(4);
    private readonly CheckpointLeaf<ByteArray> _optionValue = new(5), _schema = new(2), _column = new(4);
    private readonly CheckpointLeaf<ByteArray> _settingName = new(3), _settingValue = new(4);
    private readonly CheckpointLeaf<long> _createdAt = new(2);
    private readonly CheckpointLeaf<int> _readerVersion = new(2), _writerVersion = new(2);
    private readonly CheckpointLeaf[] _txn, _add, _remove, _metadata, _protocol;

    public CheckpointRows()
    {
        _txn = [_appId, _version, _lastUpdated];
        _add = [_addPath, _partitionName, _partitionValue, _size, _modified, _addChange, _stats];
        _remove = [_removePath, _deletedAt, _removeChange];
        _metadata =
        [
            _tableId, _provider, _optionName, _optionValue, _schema, _column, _settingName, _settingValue, _createdAt,
        ];
        _protocol = [_readerVersion, _writerVersion];
    }

    public int Count { get; private set; }

    /// <summary>In the order of the schema.</summary>
    public IEnumerable<CheckpointLeaf> Leaves => [.. _txn, .. _add, .. _remove, .. _metadata, .. _protocol];

    public void Add(SetTransaction transaction)
    {
        BeginRow(_txn);
        _appId.Add(_texts.Add(transaction.AppId));
        _version.Add(transaction.Version);
        _lastUpdated.Add(transaction.LastUpdatedMs);
    }

    public void Add(AddFile file)
    {
        BeginRow(_add);
        _addPath.Add(_texts.Add(file.Path));
        AddMap(file.PartitionValues, _partitionName, _partitionValue, emptyLevel: 2);
        _size.Add(file.Bytes);
        _modified.Add(file.ModificationTimeMs);

        // Who reads a checkpoint reads a state, in which nothing changes.
        _addChange.Add(false);
        if (file.Stats is null) _stats.AddNull(level: 1);
        else _stats.Add(_texts.Add(ActionWriter.StatsText(file.Stats)));
    }

    public void Add(RemoveFile file)
    {
        BeginRow(_remove);
        _removePath.Add(_texts.Add(file.Path));
        _deletedAt.Add(file.DeletionTimestampMs);
        _removeChange.Add(false);
    }

    public void Add(Metadata metadata)
    {
        BeginRow(_metadata);
        _tableId.Add(_texts.Add(metadata.Id));
        _provider.Add(_texts.Add("parquet"));
        AddMap(new Dictionary<string, string>(), _optionName, _optionValue, emptyLevel: 3);
        _schema.Add(_texts.Add(metadata.Schema.ToJson()));
        for (var i = 0; i < metadata.PartitionColumns.Count; i++)
            _column.Add(_texts.Add(metadata.PartitionColumns[i]), isFirst: i == 0);
        if (metadata.PartitionColumns.Count == 0) _column.AddNull(level: 2);
        AddMap(metadata.Configuration, _settingName, _settingValue, emptyLevel: 2);
        _createdAt.Add(metadata.CreatedTimeMs);
    }

    public void Add(Protocol protocol)
    {
        BeginRow(_protocol);
        _readerVersion.Add(protocol.MinReaderVersion);
        _writerVersion.Add(protocol.MinWriterVersion);
    }

    /// <summary>The columns of all other actions have nothing in this row.</summary>
    private void BeginRow(CheckpointLeaf[] mine)
    {
        Count++;
        foreach (var group in (ReadOnlySpan<CheckpointLeaf[]>)[_txn, _add, _remove, _metadata, _protocol])
        {
            if (group == mine) continue;
            foreach (var leaf in group) leaf.AddNull();
        }
    }

    private void AddMap(
        IReadOnlyDictionary<string, string> map, CheckpointLeaf<ByteArray> names, CheckpointLeaf<ByteArray> values,
        short emptyLevel)
    {
        var isFirst = true;
        foreach (var (name, value) in map)
        {
            names.Add(_texts.Add(name), isFirst);
            values.Add(_texts.Add(value), isFirst);
            isFirst = false;
        }

        if (!isFirst) return;
        names.AddNull(emptyLevel);
        values.AddNull(emptyLevel);
    }
}
