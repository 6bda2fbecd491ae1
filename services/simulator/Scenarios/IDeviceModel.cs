using System.Text;

namespace Millrace.Simulator.Scenarios;

/// <summary>
/// A device's behaviour, without clock or socket: asked again and again, it gives the next message and how long after
/// the one before it comes. The same seed gives the same messages.
/// </summary>
internal interface IDeviceModel
{
    SimulatedMessage Next();
}

/// <param name="After">Time since the message before, of the same device.</param>
/// <param name="Kind">Becomes the application property "kind".</param>
/// <param name="Body">A JSON object.</param>
internal sealed record SimulatedMessage(TimeSpan After, string Kind, byte[] Body)
{
    /// <summary>The body with the time of its making as its first field, <c>time</c>.</summary>
    public byte[] Stamped(string time)
    {
        var head = Encoding.UTF8.GetBytes($"{{\"time\":\"{time}\"{(Body.AsSpan().SequenceEqual("{}"u8) ? "" : ",")}");
        return [.. head, .. Body.AsSpan(1)];
    }
}
