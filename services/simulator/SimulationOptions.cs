namespace Millrace.Simulator;

/// <summary>What a simulated fleet does.</summary>
public sealed record SimulationOptions
{
    /// <summary>drones, machines, or the path of a scenario file.</summary>
    public string Scenario { get; init; } = "drones";

    public int Devices { get; init; } = 10;

    /// <summary>
    /// Device ids are this followed by a number. Two fleets with the same ids would take each other's connections.
    /// </summary>
    public string IdPrefix { get; init; } = "sim-";

    /// <summary>How many times faster than real time devices send.</summary>
    public double Rate { get; init; } = 1;

    /// <summary>When to stop; null: when told to.</summary>
    public TimeSpan? Duration { get; init; }

    public required string Host { get; init; }

    public required int Port { get; init; }

    /// <summary>With it, connections use TLS and trust only this authority.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>The name that the gateway's certificate has; null: <see cref="Host"/>.</summary>
    public string? TlsName { get; init; }

    public int Seed { get; init; } = 1;

    /// <summary>How much a message may come earlier or later, as a share of the time since the one before.</summary>
    public double Jitter { get; init; } = 0.2;

    /// <summary>Share of messages that are two minutes old, 0 to 1.</summary>
    public double LateShare { get; init; }

    /// <summary>Share of messages that are sent twice.</summary>
    public double DuplicateShare { get; init; }

    /// <summary>Share of messages whose body is cut off in the middle.</summary>
    public double MalformedShare { get; init; }

    /// <summary>Share of messages after which the device goes away for a while.</summary>
    public double OfflineShare { get; init; }

    /// <summary>How long a device that went away stays away.</summary>
    public TimeSpan OfflineSpell { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How many messages of a device may be on their way; then it waits for an acknowledgement.</summary>
    public int InFlightMax { get; init; } = 16;

    /// <summary>The ids of the fleet.</summary>
    public IReadOnlyList<string> DeviceIds => [.. Enumerable.Range(0, Devices).Select(i => $"{IdPrefix}{i:00000}")];

    internal TimeSpan Scaled(TimeSpan interval) => interval / Rate;
}
