namespace Millrace.Mqtt;

/// <summary>The protocol level of CONNECT (MQTT 5 §3.1.2.2). Zero: not known yet.</summary>
public enum MqttVersion : byte
{
    Unknown = 0,

    /// <summary>MQTT 3.1.1.</summary>
    V311 = 4,

    /// <summary>MQTT 5.0.</summary>
    V5 = 5,
}
