using Millrace.Gateway.Mqtt;
using Millrace.Stores.Retained;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>What is retained, to those who subscribe: a page whenever a client has taken what it was sent.</summary>
internal sealed partial class SpaceBroker
{
    /// <summary>Returns when all is sent that the member has asked for, or the connection has ended.</summary>
    public async ValueTask SendRetainedAsync(SpaceMember member, RetainedFeed feed, MqttConnection connection)
    {
        var fanout = new SpaceFanout(members, limits, member.Key);
        var isHeldUp = false;
        while (feed.Next() is { } walk)
        {
            if (!await connection.WhenTakenAsync(isHeldUp).ConfigureAwait(false))
            {
                feed.Stop();
                return;
            }

            feed.Reading(walk);
            await retained.ReadAsync(walk).ConfigureAwait(false);
            feed.LeaveOut(walk);
            if (retained.Changes.WhenOneEnds(walk.Grant.Space.Name, walk.Topics) is { } change)
            {
                connection.LookAgainAfter(change);
                isHeldUp = true;
            }
            else
            {
                // What is to be read again is not held up by anything.
                isHeldUp = feed.TrySend(walk) && !await TrySendAsync(fanout, member, feed, walk).ConfigureAwait(false);
            }

            if (walk is { Left.Count: 0, IsAtEnd: true }) feed.Remove(walk);
        }
    }

    /// <summary>False: the queue has no room now for what is left.</summary>
    private async ValueTask<bool> TrySendAsync(
        SpaceFanout fanout, SpaceMember member, RetainedFeed feed, RetainedWalk walk)
    {
        try
        {
            foreach (var each in walk.Left) fanout.Add(new SpaceCopy(member, CopyOf(each, walk.Grant.Asked), default));
            await HandOutAsync(fanout, once: null).ConfigureAwait(false);
        }
        finally
        {
            feed.Sent();
        }

        var left = new HashSet<string>();
        foreach (var (copy, reason) in fanout.Clear())
        {
            if (fanout.CanEverHold(copy) && reason != SessionEnded) left.Add(copy.Message.Topic);
            else metrics.DeliveryLost(reason);
        }

        walk.Left.RemoveAll(each => !left.Contains(each.Topic));
        return walk.Left.Count == 0;
    }

    private static OutboundMessage CopyOf(RetainedMessage message, SessionSubscription asked) => new(
        message.Topic, Math.Min(message.Qos, asked.Qos), Retain: true, message.Properties, message.Payload,
        message.ExpiresAt, Source: null, asked.Identifier > 0 ? [asked.Identifier] : []);
}
