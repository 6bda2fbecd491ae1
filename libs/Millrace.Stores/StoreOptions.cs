using System.ComponentModel.DataAnnotations;
using Millrace.Primitives;

namespace Millrace.Stores;

/// <summary>How long the warm store keeps what it has, and how much it takes. Section "Stores".</summary>
public sealed class StoreOptions
{
    /// <summary>Telemetry older than this, by enqueued time, is removed. Zero keeps it.</summary>
    public TimeSpan TelemetryRetention { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Alerts older than this are removed. Zero keeps them.</summary>
    public TimeSpan AlertRetention { get; set; } = TimeSpan.FromDays(365);

    /// <summary>Rows of query outputs older than this are removed. Zero keeps them.</summary>
    public TimeSpan OutputRetention { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How often the store looks for what is too old.</summary>
    public TimeSpan RetentionInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The largest body that a row may have.</summary>
    public ByteSize RowBytesMax { get; set; } = ByteSize.FromMiB(16);

    /// <summary>How long a request waits for another process to let go of the database.</summary>
    [Range(1, 600)]
    public int LockTimeoutSeconds { get; set; } = 30;

    /// <summary>The 32-byte key under which device keys are encrypted; null: a file of the data folder.</summary>
    public string? DeviceKeyFile { get; set; }
}
