using Millrace.Primitives;

namespace Millrace.Gateway.Limits;

/// <summary>Checks the limits, each under its key.</summary>
internal static class LimitOptionsValidator
{
    private const string Section = "Gateway:Limits";

    /// <summary>Rates and numbers: so large that reckoning with them stays exact.</summary>
    private const long Most = 1_000_000_000;

    private const long BytesMost = 1L << 40;

    public static void Validate(LimitOptions options, List<string> failures)
    {
        Traffic($"{Section}:Hub", options.Hub, failures);
        Between($"{Section}:SharedBytesPerSecond", options.SharedBytesPerSecond?.Bytes, 0, BytesMost, failures);
        Device($"{Section}:Device", options.Device, failures);
        foreach (var (i, named) in options.Devices.Index()) Device($"{Section}:Devices:{i}", named, failures);
        Ids(options.Devices, failures);
        Between("Burst", options.Burst, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), failures);
        Between("SlowedMax", options.SlowedMax, TimeSpan.Zero, TimeSpan.FromDays(1), failures);
        Between("ConnectWaitMax", options.ConnectWaitMax, TimeSpan.Zero, TimeSpan.FromMinutes(1), failures);
        Between("UnreadTimeout", options.UnreadTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), failures);
        Between("Logins:DelayMax", options.Logins.DelayMax, TimeSpan.Zero, TimeSpan.FromMinutes(1), failures);
        Between($"{Section}:HandshakesMax", options.HandshakesMax, 1, Most, failures);
        Between($"{Section}:Logins:DeviceFailuresPerMinute", options.Logins.DeviceFailuresPerMinute, 0, Most, failures);
        Between(
            $"{Section}:Logins:AddressFailuresPerMinute", options.Logins.AddressFailuresPerMinute, 0, Most, failures);
        Between($"{Section}:Logins:TrackedMax", options.Logins.TrackedMax, 2, Most, failures);
    }

    private static void Traffic(string key, TrafficOptions options, List<string> failures)
    {
        Between($"{key}:ConnectsPerSecond", options.ConnectsPerSecond, 0, Most, failures);
        Between($"{key}:MessagesPerSecond", options.MessagesPerSecond, 0, Most, failures);
        Between($"{key}:BytesPerSecond", options.BytesPerSecond?.Bytes, 0, BytesMost, failures);
        Between($"{key}:MessagesPerDay", options.MessagesPerDay, 0, long.MaxValue, failures);
    }

    private static void Device(string key, DeviceLimitOptions options, List<string> failures)
    {
        Traffic(key, options, failures);
        Between($"{key}:ConnectionsMax", options.ConnectionsMax, 0, Most, failures);
        Between($"{key}:PacketBytesMax", options.PacketBytesMax?.Bytes, 128, 256 << 20, failures);
        Between($"{key}:InFlightMax", options.InFlightMax, 1, ushort.MaxValue, failures);
        Between($"{key}:TopicBytesMax", options.TopicBytesMax?.Bytes, 0, ushort.MaxValue, failures);
        Between($"{key}:TopicLevelsMax", options.TopicLevelsMax, 0, ushort.MaxValue, failures);
        Between($"{key}:SubscriptionsMax", options.SubscriptionsMax, 0, Most, failures);
        Between($"{key}:QueueMessagesMax", options.QueueMessagesMax, 1, 10_000_000, failures);
        Between($"{key}:QueueBytesMax", options.QueueBytesMax?.Bytes, 1 << 10, 1L << 32, failures);
    }

    private static void Ids(List<NamedDeviceLimitOptions> devices, List<string> failures)
    {
        var ids = devices.SelectMany(each => each.DeviceIds).ToList();
        foreach (var id in ids.Where(id => !DeviceId.IsValid(id)))
            failures.Add($"{Section}:Devices: {PrimitiveErrors.DeviceIdInvalid.With(id)}");
        foreach (var id in ids.CountBy(id => id).Where(id => id.Value > 1))
            failures.Add($"{Section}:Devices names {id.Key} {id.Value} times; name it once.");
    }

    private static void Between(string key, long? value, long least, long most, List<string> failures)
    {
        if (value < least || value > most) failures.Add($"{key} is {value}; choose from {least} to {most}.");
    }

    private static void Between(string key, TimeSpan value, TimeSpan least, TimeSpan most, List<string> failures)
    {
        if (value < least || value > most) failures.Add($"{Section}:{key} is {value}; choose from {least} to {most}.");
    }
}
