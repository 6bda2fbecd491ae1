namespace Millrace.Mqtt.Properties;

/// <summary>How a property's value is encoded.</summary>
public enum PropertyKind : byte
{
    None,
    Byte,
    UInt16,
    UInt32,
    VarInt,
    Binary,
    Text,
    TextPair,
}

/// <summary>Where properties stand: one bit a packet type, and one for the will within CONNECT.</summary>
[Flags]
public enum PropertyPlaces
{
    Will = 1,
    Connect = 1 << PacketType.Connect,
    ConnAck = 1 << PacketType.ConnAck,
    Publish = 1 << PacketType.Publish,
    PubAck = 1 << PacketType.PubAck,
    PubRec = 1 << PacketType.PubRec,
    PubRel = 1 << PacketType.PubRel,
    PubComp = 1 << PacketType.PubComp,
    Subscribe = 1 << PacketType.Subscribe,
    SubAck = 1 << PacketType.SubAck,
    Unsubscribe = 1 << PacketType.Unsubscribe,
    UnsubAck = 1 << PacketType.UnsubAck,
    Disconnect = 1 << PacketType.Disconnect,
    Auth = 1 << PacketType.Auth,
}

/// <summary>The table of MQTT 5 §2.2.2.2, and the ranges that the packets' sections give.</summary>
public static class PropertyRules
{
    private const PropertyPlaces Message = PropertyPlaces.Publish | PropertyPlaces.Will;
    private const PropertyPlaces Greeting = PropertyPlaces.Connect | PropertyPlaces.ConnAck;

    private const PropertyPlaces Answers =
        PropertyPlaces.ConnAck | PropertyPlaces.PubAck | PropertyPlaces.PubRec | PropertyPlaces.PubRel
        | PropertyPlaces.PubComp | PropertyPlaces.SubAck | PropertyPlaces.UnsubAck | PropertyPlaces.Disconnect
        | PropertyPlaces.Auth;

    private const PropertyPlaces Everywhere =
        Answers | Message | PropertyPlaces.Connect | PropertyPlaces.Subscribe | PropertyPlaces.Unsubscribe;

    private static readonly (PropertyKind Kind, PropertyPlaces Places)[] Table = MakeTable();

    public static PropertyKind KindOf(PropertyId id) =>
        (int)id < Table.Length ? Table[(int)id].Kind : PropertyKind.None;

    public static bool MayStandIn(PropertyId id, PropertyPlaces place) =>
        (int)id < Table.Length && (Table[(int)id].Places & place) != 0;

    /// <summary>User properties everywhere, and the subscription identifiers of a PUBLISH.</summary>
    public static bool MayRepeat(PropertyId id, PropertyPlaces place) =>
        id == PropertyId.UserProperty || (id == PropertyId.SubscriptionIdentifier && place == PropertyPlaces.Publish);

    internal static PacketDefect CheckNumber(PropertyId id, uint value) => id switch
    {
        PropertyId.PayloadFormatIndicator or PropertyId.RequestProblemInformation
            or PropertyId.RequestResponseInformation or PropertyId.MaximumQos or PropertyId.RetainAvailable
            or PropertyId.WildcardSubscriptionAvailable or PropertyId.SubscriptionIdentifierAvailable
            or PropertyId.SharedSubscriptionAvailable => value <= 1 ? default : PacketDefect.PropertyValueInvalid,
        PropertyId.ReceiveMaximum or PropertyId.MaximumPacketSize or PropertyId.SubscriptionIdentifier =>
            value != 0 ? default : PacketDefect.PropertyValueInvalid,
        PropertyId.TopicAlias => value != 0 ? default : PacketDefect.TopicAliasInvalid,
        _ => default,
    };

    private static (PropertyKind Kind, PropertyPlaces Places)[] MakeTable()
    {
        var table = new (PropertyKind, PropertyPlaces)[(int)PropertyId.SharedSubscriptionAvailable + 1];
        table[(int)PropertyId.PayloadFormatIndicator] = (PropertyKind.Byte, Message);
        table[(int)PropertyId.MessageExpiryInterval] = (PropertyKind.UInt32, Message);
        table[(int)PropertyId.ContentType] = (PropertyKind.Text, Message);
        table[(int)PropertyId.ResponseTopic] = (PropertyKind.Text, Message);
        table[(int)PropertyId.CorrelationData] = (PropertyKind.Binary, Message);
        table[(int)PropertyId.SubscriptionIdentifier] =
            (PropertyKind.VarInt, PropertyPlaces.Publish | PropertyPlaces.Subscribe);
        table[(int)PropertyId.SessionExpiryInterval] = (PropertyKind.UInt32, Greeting | PropertyPlaces.Disconnect);
        table[(int)PropertyId.AssignedClientIdentifier] = (PropertyKind.Text, PropertyPlaces.ConnAck);
        table[(int)PropertyId.ServerKeepAlive] = (PropertyKind.UInt16, PropertyPlaces.ConnAck);
        table[(int)PropertyId.AuthenticationMethod] = (PropertyKind.Text, Greeting | PropertyPlaces.Auth);
        table[(int)PropertyId.AuthenticationData] = (PropertyKind.Binary, Greeting | PropertyPlaces.Auth);
        table[(int)PropertyId.RequestProblemInformation] = (PropertyKind.Byte, PropertyPlaces.Connect);
        table[(int)PropertyId.WillDelayInterval] = (PropertyKind.UInt32, PropertyPlaces.Will);
        table[(int)PropertyId.RequestResponseInformation] = (PropertyKind.Byte, PropertyPlaces.Connect);
        table[(int)PropertyId.ResponseInformation] = (PropertyKind.Text, PropertyPlaces.ConnAck);
        table[(int)PropertyId.ServerReference] =
            (PropertyKind.Text, PropertyPlaces.ConnAck | PropertyPlaces.Disconnect);
        table[(int)PropertyId.ReasonString] = (PropertyKind.Text, Answers);
        table[(int)PropertyId.ReceiveMaximum] = (PropertyKind.UInt16, Greeting);
        table[(int)PropertyId.TopicAliasMaximum] = (PropertyKind.UInt16, Greeting);
        table[(int)PropertyId.TopicAlias] = (PropertyKind.UInt16, PropertyPlaces.Publish);
        table[(int)PropertyId.MaximumQos] = (PropertyKind.Byte, PropertyPlaces.ConnAck);
        table[(int)PropertyId.RetainAvailable] = (PropertyKind.Byte, PropertyPlaces.ConnAck);
        table[(int)PropertyId.UserProperty] = (PropertyKind.TextPair, Everywhere);
        table[(int)PropertyId.MaximumPacketSize] = (PropertyKind.UInt32, Greeting);
        table[(int)PropertyId.WildcardSubscriptionAvailable] = (PropertyKind.Byte, PropertyPlaces.ConnAck);
        table[(int)PropertyId.SubscriptionIdentifierAvailable] = (PropertyKind.Byte, PropertyPlaces.ConnAck);
        table[(int)PropertyId.SharedSubscriptionAvailable] = (PropertyKind.Byte, PropertyPlaces.ConnAck);
        return table;
    }
}
