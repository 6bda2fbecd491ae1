using Millrace.Gateway.Bridge.Outputs;
using MQTTnet;

namespace Millrace.Gateway.Tests.Bridge;

public class PublishRefusalsTests
{
    [TestCase(MqttClientPublishReasonCode.Success, PublishOutcome.Taken)]
    [TestCase(MqttClientPublishReasonCode.NoMatchingSubscribers, PublishOutcome.Taken)]
    [TestCase(MqttClientPublishReasonCode.NotAuthorized, PublishOutcome.NotAllowed)]
    [TestCase(MqttClientPublishReasonCode.TopicNameInvalid, PublishOutcome.Refused)]
    [TestCase(MqttClientPublishReasonCode.PayloadFormatInvalid, PublishOutcome.Refused)]
    [TestCase(MqttClientPublishReasonCode.UnspecifiedError, PublishOutcome.Unready)]
    [TestCase(MqttClientPublishReasonCode.ImplementationSpecificError, PublishOutcome.Unready)]
    [TestCase(MqttClientPublishReasonCode.PacketIdentifierInUse, PublishOutcome.Unready)]
    [TestCase(MqttClientPublishReasonCode.QuotaExceeded, PublishOutcome.Unready)]
    public void An_answer_is_about_the_message_or_about_the_broker(
        MqttClientPublishReasonCode answer, object outcome) =>
        Assert.That(new PublishRefusals(triesMax: 2, topicsMax: 1).Judge(answer, "x"), Is.EqualTo(outcome));

    [Test]
    public void A_topic_has_its_tries_a_pass_each_until_the_broker_takes_something_on_it()
    {
        var refusals = new PublishRefusals(triesMax: 3, topicsMax: 10);
        for (var pass = 1; pass <= 2; pass++)
        {
            refusals.BeginPass();
            for (var message = 0; message < 5; message++)
                Assert.That(Refuse(refusals, "x"), Is.EqualTo(PublishOutcome.NotAllowed));
        }

        refusals.BeginPass();
        Assert.That(Refuse(refusals, "x"), Is.EqualTo(PublishOutcome.Refused));
        Assert.That(Refuse(refusals, "y"), Is.EqualTo(PublishOutcome.NotAllowed), "each topic has its own");
        refusals.BeginPass();
        Assert.That(Refuse(refusals, "x"), Is.EqualTo(PublishOutcome.Refused), "no more patience");
        refusals.Judge(MqttClientPublishReasonCode.Success, "x");
        Assert.That(Refuse(refusals, "x"), Is.EqualTo(PublishOutcome.NotAllowed));
    }

    [Test]
    public void It_remembers_only_so_many_topics_but_forgets_none_that_waits_for_another_try()
    {
        var refusals = new PublishRefusals(triesMax: 3, topicsMax: 1);
        foreach (var outcome in new[] { PublishOutcome.NotAllowed, PublishOutcome.NotAllowed, PublishOutcome.Refused })
        {
            refusals.BeginPass();
            foreach (var topic in new[] { "x", "y", "z" }) Assert.That(Refuse(refusals, topic), Is.EqualTo(outcome));
        }

        refusals.BeginPass();
        Assert.That(Refuse(refusals, "x"), Is.EqualTo(PublishOutcome.NotAllowed), "it was forgotten");
    }

    private static PublishOutcome Refuse(PublishRefusals refusals, string topic) =>
        refusals.Judge(MqttClientPublishReasonCode.NotAuthorized, topic);
}
