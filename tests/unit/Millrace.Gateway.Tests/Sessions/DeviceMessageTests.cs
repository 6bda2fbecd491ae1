using System.Text;
using Millrace.Contracts;
using Millrace.Gateway.Sessions;

namespace Millrace.Gateway.Tests.Sessions;

public class DeviceMessageTests
{
    [Test]
    public void What_no_text_of_MQTT_can_hold_makes_the_message_invalid_and_is_not_left_out()
    {
        Assert.That(Read(ushort.MaxValue)!.Message.Properties, Has.Length.GreaterThan(ushort.MaxValue));
        Assert.That(Read(ushort.MaxValue + 1), Is.Null);
    }

    private static DeviceMessage? Read(int length)
    {
        using var records = new RecordBatchBuilder();
        records.Begin(0, "pump-1"u8);
        records.AddHeader(DeviceMessageHeaders.MqttTopic, "devices/pump-1/messages/devicebound"u8);
        records.AddHeader(
            TelemetryHeaders.ApplicationPrefix, "speed"u8, Encoding.UTF8.GetBytes(new string('x', length)));
        records.End("go"u8);
        return DeviceMessage.Read(
            RecordView.Of(records.Bytes.Span, 0), new TopicPartition(Contracts.Topics.DeviceMessages, 0));
    }
}
