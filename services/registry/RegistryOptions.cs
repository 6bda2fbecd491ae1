using System.ComponentModel.DataAnnotations;
using Millrace.Primitives;

namespace Millrace.Registry;

/// <summary>Limits of the registry. Section "Registry".</summary>
public sealed class RegistryOptions
{
    /// <summary>The largest tags object of a device, as UTF-8 JSON.</summary>
    public ByteSize TagsBytesMax { get; set; } = ByteSize.FromKiB(8);

    /// <summary>How deep objects and lists may lie in one another, the tags themselves included.</summary>
    [Range(1, 32)]
    public int TagsDepthMax { get; set; } = 10;

    /// <summary>The longest reason for a status, in characters.</summary>
    [Range(1, 10_000)]
    public int StatusReasonLengthMax { get; set; } = 256;

    /// <summary>The most devices that one list page may have.</summary>
    [Range(1, 10_000)]
    public int PageDevicesMax { get; set; } = 1_000;

    /// <summary>
    /// The most devices that one list page looks at; a search for what is rare ends there, and goes on with the next
    /// page.
    /// </summary>
    [Range(1, 100_000_000)]
    public int PageLookedAtMax { get; set; } = 100_000;

    /// <summary>The most devices that one request may create.</summary>
    [Range(1, 100_000)]
    public int CreateDevicesMax { get; set; } = 1_000;

    /// <summary>The largest body of a message to a device.</summary>
    public ByteSize MessageBytesMax { get; set; } = ByteSize.FromKiB(256);

    /// <summary>How often stored device keys are looked through while Stores:OtherDeviceKeyFile is there.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan KeyRenewalInterval { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long after a device was deleted the registry tells it, where who deleted it could not; how often it looks.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan EndsUntoldAfter { get; set; } = TimeSpan.FromMinutes(1);
}
