using Millrace.Stores.Retained;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>
/// What is retained, on its way to one member: filter by filter and page by page, as its client takes it. Where
/// something of a topic is delivered meanwhile, that is newer, and what is retained is left out: nothing old comes
/// behind what is newer (MQTT 5 §4.6).
/// </summary>
internal sealed class RetainedFeed
{
    /// <summary>
    /// What topics may take that are remembered because something of them was delivered. With more, they are forgotten,
    /// and what was read before is read again.
    /// </summary>
    public const long TopicBytesMax = 1 << 20;

    /// <summary>What a topic takes besides its characters, about.</summary>
    public const int TopicBytes = 100;

    private readonly Lock _gate = new();
    private readonly List<RetainedWalk> _walks = [];
    private readonly Dictionary<string, long> _delivered = [];
    private readonly HashSet<string> _sending = [];
    private TaskCompletionSource? _sent;
    private long _deliveredBytes;
    private long _clock;
    private long _forgottenAt;
    private bool _isRunning;
    private volatile bool _isAtWork;

    /// <summary>What is retained under the filter is to be sent, from its beginning.</summary>
    /// <param name="subscribe">
    /// Lets the member be found by publishers: nothing is delivered to it before that is heard of here, and nothing is
    /// read that it would not hear of when it changes.
    /// </param>
    public void Add(SpaceGrant grant, Action subscribe)
    {
        lock (_gate)
        {
            RemoveLocked(walk => walk.Grant.Asked.Filter == grant.Asked.Filter);
            _walks.Add(new RetainedWalk(grant, since: _clock));
            _isAtWork = true;
            subscribe();
        }
    }

    /// <summary>Nothing more is to be sent of it.</summary>
    public void Remove(string filter)
    {
        lock (_gate) RemoveLocked(walk => walk.Grant.Asked.Filter == filter);
    }

    /// <inheritdoc cref="Remove(string)"/>
    public void Remove(RetainedWalk walk)
    {
        lock (_gate) RemoveLocked(each => each == walk);
    }

    /// <summary>False: there is nothing to send, or somebody does.</summary>
    public bool TryStart()
    {
        if (!_isAtWork) return false;
        lock (_gate)
        {
            if (_isRunning || _walks.Count == 0) return false;
            return _isRunning = true;
        }
    }

    /// <summary>Who sends has to stop, and another one may go on.</summary>
    public void Stop()
    {
        lock (_gate) _isRunning = false;
    }

    /// <summary>What to send from; null when nothing is left, and who sends has stopped.</summary>
    public RetainedWalk? Next()
    {
        lock (_gate)
        {
            if (_walks.Count > 0) return _walks[0];
            _isRunning = false;
            return null;
        }
    }

    /// <summary>
    /// A publisher is about to deliver something of this topic. When its retained message is being sent just now, the
    /// task is to be waited for first.
    /// </summary>
    public Task? Delivering(string topic)
    {
        if (!_isAtWork) return null;
        lock (_gate)
        {
            if (_walks.Count > 0) Remember(topic);
            return _sending.Contains(topic) ? _sent!.Task : null;
        }
    }

    /// <summary>The walk is about to read: what is delivered from now on is newer than what it reads.</summary>
    public void Reading(RetainedWalk walk)
    {
        lock (_gate) walk.ReadAt = _clock;
    }

    /// <summary>Leaves out what the walk has read and must not send any more.</summary>
    public void LeaveOut(RetainedWalk walk)
    {
        lock (_gate) LeaveOutLocked(walk);
    }

    /// <summary>
    /// What the walk has read is being sent, until <see cref="Sent"/>. False: it is to be read again before.
    /// </summary>
    public bool TrySend(RetainedWalk walk)
    {
        lock (_gate)
        {
            if (walk.ReadAt < _forgottenAt) return false;
            LeaveOutLocked(walk);
            _sending.UnionWith(walk.Topics);
            _sent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return true;
        }
    }

    public void Sent()
    {
        TaskCompletionSource sent;
        lock (_gate)
        {
            _sending.Clear();
            _isAtWork = _walks.Count > 0;
            sent = _sent!;
        }

        sent.SetResult();
    }

    private void Remember(string topic)
    {
        if (!_delivered.ContainsKey(topic))
        {
            var bytes = TopicBytes + (topic.Length * sizeof(char));
            if (_deliveredBytes + bytes > TopicBytesMax)
            {
                ForgetDelivered();
                _forgottenAt = _clock;
            }

            _deliveredBytes += bytes;
        }

        _delivered[topic] = ++_clock;
    }

    private void ForgetDelivered()
    {
        _delivered.Clear();
        _deliveredBytes = 0;
    }

    private void LeaveOutLocked(RetainedWalk walk)
    {
        if (!_walks.Contains(walk)) walk.Left.Clear();
        walk.Left.RemoveAll(each => _delivered.GetValueOrDefault(each.Topic, -1) > walk.Since);
    }

    private void RemoveLocked(Predicate<RetainedWalk> isIt)
    {
        _walks.RemoveAll(isIt);
        if (_walks.Count > 0) return;
        ForgetDelivered();
        _isAtWork = _sending.Count > 0;
    }
}

/// <summary>How far what is retained under one filter has been sent. For the one who sends.</summary>
/// <param name="since">By the feed's clock, when it was asked for.</param>
internal sealed class RetainedWalk(SpaceGrant grant, long since)
{
    public SpaceGrant Grant => grant;

    public long Since => since;

    /// <summary>By the feed's clock, before what is left was read.</summary>
    public long ReadAt { get; set; }

    /// <summary>Read, and not sent yet.</summary>
    public List<RetainedMessage> Left { get; set; } = [];

    public IEnumerable<string> Topics => Left.Select(each => each.Topic);

    /// <summary>Where reading goes on; null: at the beginning.</summary>
    public string? Continuation { get; set; }

    /// <summary>There is nothing more to read.</summary>
    public bool IsAtEnd { get; set; }
}
