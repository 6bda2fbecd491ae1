namespace Millrace.Gateway.TopicSpaces;

/// <summary>
/// Topics whose retained message is being changed: it may be kept already, and is not handed out to all subscribers
/// yet. Who is sent what is retained waits for them, or the same message would come once more behind it, and one before
/// it too.
/// </summary>
internal sealed class RetainedChanges
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Space, string Topic), int> _open = [];
    private TaskCompletionSource? _ended;

    /// <summary>They are being changed until what this returns is disposed of.</summary>
    public IDisposable Begin(IReadOnlyList<(string Space, string Topic)> topics)
    {
        lock (_gate)
            foreach (var topic in topics) _open[topic] = _open.GetValueOrDefault(topic) + 1;
        return new Change(this, topics);
    }

    /// <summary>Null when none of the topics is being changed; else completes when it is time to ask again.</summary>
    public Task? WhenOneEnds(string space, IEnumerable<string> topics)
    {
        lock (_gate)
        {
            if (_open.Count == 0 || !topics.Any(topic => _open.ContainsKey((space, topic)))) return null;
            _ended ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _ended.Task;
        }
    }

    private void End(IReadOnlyList<(string Space, string Topic)> topics)
    {
        TaskCompletionSource? ended;
        lock (_gate)
        {
            foreach (var topic in topics)
            {
                var left = _open[topic] - 1;
                if (left > 0) _open[topic] = left;
                else _open.Remove(topic);
            }

            (ended, _ended) = (_ended, null);
        }

        ended?.SetResult();
    }

    private sealed class Change(RetainedChanges changes, IReadOnlyList<(string, string)> topics) : IDisposable
    {
        public void Dispose() => changes.End(topics);
    }
}
