using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Millrace.Primitives;

namespace Millrace.Stores;

/// <summary>What keeps the stores.</summary>
public enum StoreKind
{
    /// <summary>SQLite files in the data folder.</summary>
    Sqlite,

    /// <summary>A Cassandra cluster, which processes on any number of machines share.</summary>
    Cassandra,
}

/// <summary>How long the warm store keeps what it has, and how much it takes. Section "Stores".</summary>
public sealed class StoreOptions
{
    /// <summary>Sqlite, in the data folder, or Cassandra; then see section Cassandra.</summary>
    public StoreKind Kind { get; set; }

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

    /// <summary>
    /// The key that <see cref="DeviceKeyFile"/> takes the place of, or that will take its place: device keys under it
    /// are read too. A file that is missing is none.
    /// </summary>
    public string? OtherDeviceKeyFile { get; set; }
}

/// <summary>Checks what attributes cannot say.</summary>
internal sealed class StoreOptionsValidator : IValidateOptions<StoreOptions>
{
    public ValidateOptionsResult Validate(string? name, StoreOptions options)
    {
        var failures = new List<string>();
        NotNegative(nameof(options.TelemetryRetention), options.TelemetryRetention);
        NotNegative(nameof(options.AlertRetention), options.AlertRetention);
        NotNegative(nameof(options.OutputRetention), options.OutputRetention);
        if (options.RetentionInterval < TimeSpan.FromSeconds(1) || options.RetentionInterval > TimeSpan.FromDays(1))
        {
            failures.Add($"Stores:{nameof(options.RetentionInterval)} is {options.RetentionInterval}; " +
                "choose from 00:00:01 to 1.00:00:00.");
        }

        if (options.RowBytesMax.Bytes is < 1 or > 512L << 20)
            failures.Add($"Stores:{nameof(options.RowBytesMax)} is {options.RowBytesMax}; choose from 1 to 512MiB.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void NotNegative(string key, TimeSpan value)
        {
            if (value < TimeSpan.Zero) failures.Add($"Stores:{key} is {value}; choose 0, which keeps all, or more.");
        }
    }
}
