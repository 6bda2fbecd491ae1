namespace Millrace.Integration.Tests.Bridge;

/// <summary>The configuration of a bridge, as a user writes it.</summary>
internal static class BridgeSettings
{
    public static (string Key, string Value)[] Of(int port, int qos = 1, string name = "plant", int index = 0,
        string topic = "plant/{machine}/data", string client = "gateway-1",
        params (string Key, string Value)[] more) =>
    [
        .. new (string Key, string Value)[]
        {
            ("Name", name), ("Host", "127.0.0.1"), ("Port", $"{port}"), ("ClientId", client),
            ("ReconnectDelayMin", "00:00:00.05"), ("ReconnectDelayMax", "00:00:00.5"),
            ("Subscriptions:0:Topic", topic), ("Subscriptions:0:DeviceId", "{machine}"),
            ("Subscriptions:0:Qos", $"{qos}"),
        }.Where(setting => more.All(other => other.Key != setting.Key)).Concat(more)
            .Select(setting => ($"Gateway:Bridges:{index}:{setting.Key}", setting.Value)),
    ];
}
