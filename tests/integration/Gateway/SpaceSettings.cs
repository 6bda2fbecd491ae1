namespace Millrace.Integration.Tests.Gateway;

/// <summary>
/// A space fleet/ with rules, and a space open/ that everyone may use and that goes to the log.
/// </summary>
internal static class SpaceSettings
{
    private const string Fleet = "Gateway:TopicSpaces:Spaces:0";
    private const string Open = "Gateway:TopicSpaces:Spaces:1";

    private static readonly (string Key, string Value)[] Usual =
    [
        ("Gateway:TopicSpaces:Enabled", "true"),
        ($"{Fleet}:Name", "fleet"),
        ($"{Fleet}:Publish:0:Filter", "fleet/{deviceId}/#"),
        ($"{Fleet}:Publish:0:Everyone", "true"),
        ($"{Fleet}:Publish:1:Filter", "fleet/orders/#"),
        ($"{Fleet}:Publish:1:Tags:0", "role=boss"),
        ($"{Fleet}:Subscribe:0:Filter", "fleet/#"),
        ($"{Fleet}:Subscribe:0:Tags:0", "role=boss"),
        ($"{Fleet}:Subscribe:1:Filter", "fleet/orders/{deviceId}"),
        ($"{Fleet}:Subscribe:1:Everyone", "true"),
        ($"{Open}:Name", "open"),
        ($"{Open}:Publish:0:Filter", "open/#"),
        ($"{Open}:Publish:0:Everyone", "true"),
        ($"{Open}:Subscribe:0:Filter", "open/#"),
        ($"{Open}:Subscribe:0:Everyone", "true"),
        ($"{Open}:Retain", "true"),
        ($"{Open}:RetainedMax", "3"),
    ];

    /// <summary>The usual ones, but for what these say.</summary>
    public static (string Key, string Value)[] With(params (string Key, string Value)[] more) =>
        [.. more.Concat(Usual).DistinctBy(each => each.Key)];

    public static (string Key, string Value)[] ToLog(string topic) => With(($"{Open}:ToEventLog", topic));
}
