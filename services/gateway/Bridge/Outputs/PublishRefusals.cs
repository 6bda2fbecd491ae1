using MQTTnet;

namespace Millrace.Gateway.Bridge.Outputs;

/// <summary>What becomes of a record by the broker's answer to its publish.</summary>
internal enum PublishOutcome
{
    /// <summary>The broker has it.</summary>
    Taken,

    /// <summary>The broker will not have this message.</summary>
    Refused,

    /// <summary>The broker does not allow the topic: the message is tried again, others go out meanwhile.</summary>
    NotAllowed,

    /// <summary>The broker takes nothing now, whatever the message: those behind it wait too.</summary>
    Unready,
}

/// <summary>
/// Tells refusals that are about a message from those about the broker, and remembers for how many passes the broker
/// has not allowed a topic. For one caller.
/// </summary>
/// <param name="triesMax">Passes after which what comes for such a topic is refused.</param>
/// <param name="topicsMax">Topics that are remembered, besides those of a batch that waits.</param>
internal sealed class PublishRefusals(int triesMax, int topicsMax)
{
    private readonly Dictionary<string, Tries> _notAllowed = [];
    private int _pass = 1;
    private bool _isAnyWaiting;

    public static bool IsTaken(MqttClientPublishReasonCode answer) =>
        answer is MqttClientPublishReasonCode.Success or MqttClientPublishReasonCode.NoMatchingSubscribers;

    /// <summary>
    /// What is refused from now on is another try. Topics are forgotten when nothing waits for one: a batch with more
    /// of them would never be done.
    /// </summary>
    public void BeginPass()
    {
        if (!_isAnyWaiting && _notAllowed.Count > topicsMax) _notAllowed.Clear();
        _isAnyWaiting = false;
        _pass++;
    }

    public PublishOutcome Judge(MqttClientPublishReasonCode answer, string topic)
    {
        switch (answer)
        {
            case var taken when IsTaken(taken):
                _notAllowed.Remove(topic);
                return PublishOutcome.Taken;
            case MqttClientPublishReasonCode.TopicNameInvalid or MqttClientPublishReasonCode.PayloadFormatInvalid:
                return PublishOutcome.Refused;
            case MqttClientPublishReasonCode.NotAuthorized:
                if (Count(topic) >= triesMax) return PublishOutcome.Refused;
                _isAnyWaiting = true;
                return PublishOutcome.NotAllowed;
            default:
                return PublishOutcome.Unready;
        }
    }

    /// <summary>How many passes the topic was not allowed in, with this one.</summary>
    private int Count(string topic)
    {
        var tries = _notAllowed.GetValueOrDefault(topic);
        if (tries.LastPass != _pass) _notAllowed[topic] = tries = new Tries(tries.Count + 1, _pass);
        return tries.Count;
    }

    private readonly record struct Tries(int Count, int LastPass);
}
