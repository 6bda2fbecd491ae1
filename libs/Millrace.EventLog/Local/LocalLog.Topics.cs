using Millrace.Contracts;

namespace Millrace.EventLog.Local;

/// <summary>Topics: found at open, made when they are missing.</summary>
public sealed partial class LocalLog
{
    public IReadOnlyList<string> Topics => _topics.Keys.Order(StringComparer.Ordinal).ToArray();

    public TopicInfo? FindTopic(string name) => _topics.TryGetValue(name, out var topic) ? topic.Info : null;

    public ValueTask<TopicInfo> EnsureTopicAsync(TopicSpec spec, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(spec.Partitions);
        if (!TopicFolder.IsName(spec.Name)) throw EventLogErrors.TopicNameInvalid.With(spec.Name).AsException();
        lock (_making)
        {
            ObjectDisposedException.ThrowIf(_disposed == 1, this);
            var info = FindTopic(spec.Name) ?? Make(spec);
            if (info.Partitions == spec.Partitions) return new ValueTask<TopicInfo>(info);
            var detail = $"It has {info.Partitions} partitions, {spec.Partitions} were asked for.";
            throw EventLogErrors.PartitionCountChanged.With(spec.Name, detail).AsException();
        }
    }

    private TopicInfo Make(TopicSpec spec)
    {
        var folder = Path.Combine(_folder, TopicsFolder, spec.Name);
        try
        {
            var made = TopicFolder.Read(_runtime.Disk, folder);
            if (made is null) TopicFolder.Make(_runtime, folder, spec);
            var info = made ?? new TopicInfo(spec.Name, spec.Partitions);
            Add(info, folder);
            _runtime.Log.TopicMade(info.Name, info.Partitions);
            return info;
        }
        catch (IOException e)
        {
            throw Failed(spec.Name, e);
        }
    }

    private void OpenTopics()
    {
        var folder = Path.Combine(_folder, TopicsFolder);
        LogRuntime.MakeFolder(_runtime.Disk, folder);
        foreach (var name in _runtime.Disk.Folders(folder).Order(StringComparer.Ordinal))
        {
            var topicFolder = Path.Combine(folder, name);
            if (TopicFolder.Read(_runtime.Disk, topicFolder) is not { } info) continue;
            _runtime.Disk.SyncFolder(topicFolder);
            Add(info, topicFolder);
        }
    }

    private void Add(TopicInfo info, string folder)
    {
        var partitions = Enumerable.Range(0, info.Partitions)
            .Select(n => new Partition(new TopicPartition(info.Name, n), TopicFolder.Partition(folder, n), _runtime))
            .ToArray();
        // Readers of the map never lock: it is replaced, not changed.
        _topics = new Dictionary<string, Topic>(_topics) { [info.Name] = new Topic(info, partitions) };
    }

    private Partition OpenJournal()
    {
        var folder = Path.Combine(_folder, GroupsFolder);
        var disk = _runtime.Disk;
        var made = disk.FolderExists(folder)
            && disk.Files(folder).Any(name => name.EndsWith(Segment.Suffix, StringComparison.Ordinal));
        if (!made) TopicFolder.MakePartition(_runtime, folder);
        return new Partition(new TopicPartition(GroupsFolder, 0), folder, _runtime);
    }

    private sealed record Topic(TopicInfo Info, Partition[] Partitions);
}
