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
internal sealed record SimulatedMessage(TimeSpan After, string Kind, byte[] Body);
