namespace Millrace.Mqtt.Session;

/// <summary>
/// Short numbers for the topics of messages to a client, on one connection (MQTT 5 §3.3.2.3.4). The first topics get
/// one and keep it.
/// </summary>
internal sealed class OutboundAliases(int max)
{
    private readonly Dictionary<string, ushort> _aliases = [];

    /// <summary>The topic's alias, 0 when there is none for it; a new one has to be sent with the topic.</summary>
    public ushort Of(string topic, out bool isNew)
    {
        isNew = false;
        if (_aliases.TryGetValue(topic, out var alias)) return alias;
        if (_aliases.Count >= max) return 0;
        isNew = true;
        return (ushort)(_aliases.Count + 1);
    }

    /// <summary>The topic was sent with its new alias.</summary>
    public void Keep(string topic, ushort alias) => _aliases[topic] = alias;
}
