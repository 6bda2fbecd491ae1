using System.Text;
using Millrace.Gateway.Topics;
using Millrace.Mqtt.Topics;
using Millrace.Stores;
using Millrace.Stores.Retained;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>The last message of each topic that is to be kept for later subscribers (MQTT 5 §3.3.1.3).</summary>
internal sealed class SpaceRetained(IRetainedStore store, GatewayMetrics metrics, TimeProvider time)
{
    private const int PageMax = 100;
    private const int TopicsPageMax = 250;
    private static readonly TimeSpan ExpiryInterval = TimeSpan.FromMinutes(1);

    private long _expiredAt = time.GetTimestamp();

    public RetainedChanges Changes { get; } = new();

    /// <summary>
    /// Those that are to be retained are on their way until what this returns is disposed of; null when there are none.
    /// </summary>
    public IDisposable? Change(IReadOnlyList<SpacePublish> messages)
    {
        List<(string Space, string Topic)>? changed = null;
        for (var i = 0; i < messages.Count; i++)
        {
            if (messages[i].Retain)
                (changed ??= []).Add((messages[i].Space.Name, Encoding.UTF8.GetString(messages[i].Topic)));
        }

        return changed is null ? null : Changes.Begin(changed);
    }

    /// <summary>Keeps those that are to be retained; for each message, why it is refused, or none.</summary>
    public async ValueTask<PublishRefusal[]> KeepAsync(IReadOnlyList<SpacePublish> messages)
    {
        var refusals = new PublishRefusal[messages.Count];
        var retained = Enumerable.Range(0, messages.Count).Where(i => messages[i].Retain);
        foreach (var space in retained.GroupBy(i => messages[i].Space))
        {
            var indexes = space.ToList();
            var now = time.GetUtcNow();
            var outcomes = await store.SetAsync(
                indexes.ConvertAll(i => Of(messages[i], now)), space.Key.Retained).ConfigureAwait(false);
            for (var i = 0; i < outcomes.Count; i++)
            {
                metrics.Retained(Word(outcomes[i]));
                if (outcomes[i] == RetainOutcome.Full) refusals[indexes[i]] = PublishRefusal.RetainedFull;
            }
        }

        return refusals;
    }

    /// <summary>Reads again what the walk has left, as it is now; when that is nothing, its next page.</summary>
    public async ValueTask ReadAsync(RetainedWalk walk)
    {
        if (walk.Left.Count > 0)
        {
            walk.Left = await FindAsync(walk.Grant.Space, walk.Topics).ConfigureAwait(false);
            return;
        }

        var (space, filter) = (walk.Grant.Space, walk.Grant.Asked.Filter);
        var page = filter.Contains('+', StringComparison.Ordinal)
            ? await MatchAsync(space, filter, walk.Continuation).ConfigureAwait(false)
            : await store.ListAsync(
                space.Name, PrefixOf(filter), time.GetUtcNow(), PageMax, walk.Continuation).ConfigureAwait(false);
        var pattern = TopicPattern.Parse(Encoding.UTF8.GetBytes(filter));
        walk.Left = [.. page.Items.Where(each => pattern.Matches(Encoding.UTF8.GetBytes(each.Topic)))];
        walk.Continuation = page.Continuation;
        walk.IsAtEnd = page.Continuation is null;
    }

    /// <summary>
    /// The same for a filter whose prefix may have far more than it takes: of the topics that do not match, the bodies
    /// are not read.
    /// </summary>
    private async ValueTask<Page<RetainedMessage>> MatchAsync(TopicSpace space, string filter, string? continuation)
    {
        var pattern = TopicPattern.Parse(Encoding.UTF8.GetBytes(filter));
        var topics = await store.ListTopicsAsync(
            space.Name, PrefixOf(filter), time.GetUtcNow(), TopicsPageMax, continuation).ConfigureAwait(false);
        var matching = topics.Items.Where(each => pattern.Matches(Encoding.UTF8.GetBytes(each)));
        return new Page<RetainedMessage>(await FindAsync(space, matching).ConfigureAwait(false), topics.Continuation);
    }

    private async ValueTask<List<RetainedMessage>> FindAsync(TopicSpace space, IEnumerable<string> topics)
    {
        var found = new List<RetainedMessage>();
        foreach (var topic in topics)
        {
            if (await store.FindAsync(space.Name, topic, time.GetUtcNow()).ConfigureAwait(false) is { } message)
                found.Add(message);
        }

        return found;
    }

    /// <summary>Now and then removes what has expired.</summary>
    public async ValueTask ExpireAsync()
    {
        if (time.GetElapsedTime(_expiredAt) < ExpiryInterval) return;
        _expiredAt = time.GetTimestamp();
        await store.ExpireAsync(time.GetUtcNow()).ConfigureAwait(false);
    }

    /// <summary>What all topics of the filter begin with; a/# asks for a as well.</summary>
    private static string PrefixOf(string filter)
    {
        var end = filter.AsSpan().IndexOfAny('+', '#');
        if (end < 0) return filter;
        return filter[end] == '#' ? filter[..Math.Max(0, end - 1)] : filter[..end];
    }

    private static RetainedMessage Of(SpacePublish message, DateTimeOffset now) => new(
        message.Space.Name, Encoding.UTF8.GetString(message.Topic), message.Qos, message.Properties, message.Payload,
        now, message.ExpiresAt);

    private static string Word(RetainOutcome outcome) => outcome switch
    {
        RetainOutcome.Retained => "retained",
        RetainOutcome.Cleared => "cleared",
        _ => "full",
    };
}
