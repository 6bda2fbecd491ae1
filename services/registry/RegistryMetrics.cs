using System.Diagnostics.Metrics;

namespace Millrace.Registry;

internal static class RegistryMetrics
{
    private static readonly Meter Meter = new("Millrace.Registry");

    /// <summary>Devices that were changed, by action (device.create, device.disable, ...).</summary>
    public static readonly Counter<long> Changes = Meter.CreateCounter<long>("millrace.registry.devices.changes");

    /// <summary>Messages to devices that are on their way.</summary>
    public static readonly Counter<long> Messages = Meter.CreateCounter<long>("millrace.registry.devices.messages");

    /// <summary>Devices whose stored keys were put under another key.</summary>
    public static readonly Counter<long> KeysRenewed = Meter.CreateCounter<long>("millrace.registry.devices.rekeyed");

    /// <summary>Requests that were refused; the reason is the error's code.</summary>
    public static readonly Counter<long> Refused = Meter.CreateCounter<long>("millrace.registry.requests.refused");
}
