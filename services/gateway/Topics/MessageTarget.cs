namespace Millrace.Gateway.Topics;

/// <summary>What a topic says about a message: spans into the topic.</summary>
internal ref struct MessageTarget
{
    /// <summary>Null when the topic was refused.</summary>
    public TelemetrySource? Source;

    public ReadOnlySpan<byte> ModuleId;

    /// <summary>URL-encoded properties, Azure's way.</summary>
    public ReadOnlySpan<byte> PropertyBag;

    /// <summary>For the header mqtt-topic; empty where the topic says nothing more than the rest.</summary>
    public ReadOnlySpan<byte> FreeTopic;

    public PublishRefusal Refusal;
}

/// <summary>Why a publish is not taken.</summary>
internal enum PublishRefusal : byte
{
    None = 0,

    /// <summary>Nothing is known by this topic.</summary>
    TopicUnknown,

    /// <summary>The topic belongs to another device.</summary>
    TopicOfAnother,

    /// <summary>A property bag that is not URL-encoded UTF-8.</summary>
    PropertyBagInvalid,

    /// <summary>More properties than Gateway:PropertiesMax, or a name longer than a name may be.</summary>
    TooManyProperties,

    /// <summary>The device has more QoS 2 publishes open than Gateway:Sessions:ExchangesMax.</summary>
    TooManyExchanges,

    /// <summary>A topic space has the topic, and does not let this device publish to it.</summary>
    TopicDenied,

    /// <summary>The topic's space retains nothing.</summary>
    RetainDenied,

    /// <summary>The topic's space has no room to retain it.</summary>
    RetainedFull,

    /// <summary>A topic above TopicBytesMax of Gateway:Limits.</summary>
    TopicTooLong,

    /// <summary>A topic of more levels than TopicLevelsMax of Gateway:Limits.</summary>
    TopicTooDeep,

    /// <summary>The device, or the hub, has published as much as it may today.</summary>
    DayQuotaReached,
}
