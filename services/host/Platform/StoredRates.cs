using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Millrace.Gateway;
using Millrace.Gateway.Limits;
using Millrace.Hosting;
using Millrace.Primitives;
using Millrace.Stores.Cassandra;
using Millrace.Stores.Cassandra.Telemetry;

namespace Millrace.Platform;

/// <summary>
/// With the stores on Cassandra the gateway lets in what a partition has room for: the rates that Cassandra:Telemetry
/// reckons with are its limits, unless lower ones are set. Processes of every role look, for they share one file.
/// </summary>
internal sealed class StoredRates(IConfiguration configuration)
    : IConfigureOptions<GatewayOptions>, IValidateOptions<CassandraOptions>
{
    private const string Limits = "Gateway:Limits";

    public void Configure(GatewayOptions options) =>
        Set(options.Limits, Bound(new CassandraTelemetryOptions(), "Cassandra:Telemetry"));

    public ValidateOptionsResult Validate(string? name, CassandraOptions options)
    {
        var limits = new LimitOptions();
        Set(limits, options.Telemetry);
        Bound(limits, Limits);
        var failures = new List<string>();
        var device = options.Telemetry.DeviceBytesPerSecond;
        Look("Device:BytesPerSecond", limits.Device.BytesPerSecond, "DeviceBytesPerSecond", device, failures);
        foreach (var (i, named) in limits.Devices.Index().Where(one => one.Item.BytesPerSecond is not null))
            Look($"Devices:{i}:BytesPerSecond", named.BytesPerSecond, "DeviceBytesPerSecond", device, failures);

        Look("SharedBytesPerSecond", limits.SharedBytesPerSecond, "HubBytesPerSecond",
            options.Telemetry.HubBytesPerSecond, failures);
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static void Set(LimitOptions limits, CassandraTelemetryOptions store)
    {
        limits.Device.BytesPerSecond = store.DeviceBytesPerSecond;
        limits.SharedBytesPerSecond = store.HubBytesPerSecond;
    }

    private static void Look(
        string key, ByteSize? limit, string storeKey, ByteSize rate, List<string> failures)
    {
        if (limit is { Bytes: > 0 and var bytes } && bytes <= rate.Bytes) return;
        var value = limit is { Bytes: > 0 } ? $"{limit}" : "0, which is no limit";
        failures.Add(HostingErrors.RateTooHigh
            .With($"{Limits}:{key} is {value}", $"Cassandra:Telemetry:{storeKey} is {rate}.").ToString());
    }

    /// <summary>What cannot be bound is told by the section's own check.</summary>
    private T Bound<T>(T options, string section)
        where T : class
    {
        try
        {
            configuration.GetSection(section).Bind(options);
        }
        catch (InvalidOperationException)
        {
            // A role that has the section says what is wrong with it.
        }

        return options;
    }
}
