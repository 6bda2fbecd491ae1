using Millrace.Contracts;
using Millrace.EventLog.Kafka.Groups;

namespace Millrace.EventLog.Kafka.Tests.Groups;

public class ConsumerPlacesTests
{
    [Test]
    public void A_query_of_two_inputs_is_behind_on_both_of_them_where_it_has_the_number()
    {
        var places = ConsumerPlaces.Of([("query.q", new("telemetry", 1))], new Dictionary<(string, TopicPartition),
            CommittedOffset>
        {
            [("query.q", new("telemetry", 0))] = new(3, null),
            [("query.q", new("telemetry", 1))] = new(5, null),
            [("query.q", new("out.other", 0))] = new(7, null),
            [("query.q", new("out.other", 1))] = new(8, null),
            [("query.r", new("telemetry", 1))] = new(9, null),
        });

        Assert.That(places, Is.EquivalentTo(new ConsumerPlace[]
        {
            new("query.q", new("telemetry", 1), 5), new("query.q", new("out.other", 1), 8),
        }));
    }

    [Test]
    public void A_topic_that_is_shared_by_itself_counts_where_its_own_partitions_are()
    {
        var places = ConsumerPlaces.Of([("bridge.b", new("alerts", 0)), ("bridge.b", new("out.x", 1))],
            new Dictionary<(string, TopicPartition), CommittedOffset>
            {
                [("bridge.b", new("alerts", 0))] = new(1, null),
                [("bridge.b", new("out.x", 0))] = new(2, null),
            });

        Assert.That(places, Is.EquivalentTo(new ConsumerPlace[]
        {
            new("bridge.b", new("alerts", 0), 1), new("bridge.b", new("out.x", 1), null),
        }));
    }

    [Test]
    public void Partitions_that_only_decide_who_works_are_behind_on_nothing() =>
        Assert.That(ConsumerPlaces.Of([("bridge.b", new("dead-letter", 0))],
            new Dictionary<(string, TopicPartition), CommittedOffset>()), Is.Empty);
}
