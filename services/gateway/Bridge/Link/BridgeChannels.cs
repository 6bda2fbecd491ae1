using Millrace.Gateway.Bridge.Intake;
using MQTTnet;
using MQTTnet.Adapter;
using MQTTnet.Diagnostics.Logger;
using MQTTnet.Implementations;

namespace Millrace.Gateway.Bridge.Link;

/// <summary>Gives a client the bridge's channel, and remembers it.</summary>
internal sealed class BridgeChannels(BridgeIntake intake, long backlogBytesMax) : IMqttClientAdapterFactory
{
    public BridgeChannel? Last { get; private set; }

    public IMqttChannelAdapter CreateClientAdapter(
        MqttClientOptions options, MqttPacketInspector packetInspector, IMqttNetLogger logger) =>
        Last = new BridgeChannel(
            new MqttClientAdapterFactory().CreateClientAdapter(options, packetInspector, logger), options, intake,
            backlogBytesMax);
}
