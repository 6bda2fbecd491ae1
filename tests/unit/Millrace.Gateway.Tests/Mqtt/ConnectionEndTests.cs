using System.Buffers;
using System.Reflection;
using Millrace.Gateway.Mqtt;
using Millrace.Mqtt;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Session;

namespace Millrace.Gateway.Tests.Mqtt;

/// <summary>Whatever a connection ends by, the client is told a reason that the packet may carry.</summary>
public class ConnectionEndTests
{
    private static IEnumerable<ConnectionEnd> Ends =>
    [
        .. typeof(ConnectionEnd).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(each => each.FieldType == typeof(ConnectionEnd))
            .Select(each => (ConnectionEnd)each.GetValue(null)!),
        .. Enum.GetValues<PacketDefect>().Where(defect => defect != PacketDefect.None).Select(ConnectionEnd.Malformed),
        ConnectionEnd.Revoked("device-disabled"),
    ];

    [Test]
    public void In_connack_while_it_is_authenticated_and_in_disconnect_later()
    {
        Assert.That(Ends.Count(), Is.GreaterThan(40));
        foreach (var end in Ends)
        {
            Assert.That(PacketType.ConnAck.MayCarry(Told(end, isLetIn: false, at: 3)), $"CONNACK {end}");
            Assert.That(PacketType.Disconnect.MayCarry(Told(end, isLetIn: true, at: 2)), $"DISCONNECT {end}");
        }
    }

    private static ReasonCode Told(ConnectionEnd end, bool isLetIn, int at)
    {
        var connect = new ArrayBufferWriter<byte>();
        PacketWriter.Connect(connect, new ConnectPacket { Version = MqttVersion.V5, CleanStart = true });
        var session = new MqttSession(new SessionLimits(65_536, 10, 0, 0, 0, 10, 0));
        Assert.That(PacketHeader.TryRead(connect.WrittenSpan, out var header, out _));
        session.Feed(header, connect.WrittenSpan[header.HeaderBytes..], out _);
        if (isLetIn) session.Accept(new ArrayBufferWriter<byte>(), default);
        var last = new ArrayBufferWriter<byte>();
        session.Close(last, end.Code, end.Reason);

        // A success has no code of its own in DISCONNECT.
        return last.WrittenSpan[1] == 0 ? ReasonCode.Success : (ReasonCode)last.WrittenSpan[at];
    }
}
